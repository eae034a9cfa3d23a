import { assertEquals } from "@std/assert";
import { fromFileUrl, join, normalize } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { tempDirectory } from "./_temp.ts";

const ROOT = fromFileUrl(new URL("../", import.meta.url));

Deno.test("a host that imports hotplug by http runs plugins in every tier", async () => {
  await using directory = await tempDirectory();
  await using server = Deno.serve({ port: 0, onListen: () => {} }, serveFile);
  const base = `http://127.0.0.1:${server.addr.port}`;
  const artifact = directory.file("adder_20240101000000_2_0_0_any_any.mjs");
  await Deno.writeTextFile(artifact, "export const add = (a, b) => a + b;");
  await Deno.writeTextFile(
    directory.file("map.json"),
    JSON.stringify({ imports: importsFrom(base) }),
  );
  await Deno.writeTextFile(
    directory.file("host.ts"),
    `import { PluginManager } from "${base}/manager/mod.ts";
    for (const tier of ["inline", "worker", "process"]) {
      await using manager = new PluginManager({ tier, preflight: true });
      const adder = await manager.open(${JSON.stringify(artifact)});
      console.log(adder.tier, await adder.call("add", 1, 2));
    }`,
  );
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-lock", "--import-map=map.json", "host.ts"],
    cwd: directory.path,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const printed = new TextDecoder().decode(stdout);
  assertEquals(printed, "inline 3\nworker 3\nprocess 3\n", new TextDecoder().decode(stderr));
});

/** The packages by their names; those of the checkout by http as well. */
function importsFrom(base: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config.imports).map(([name, target]) =>
      name.startsWith("@std/") ? [name, `${base}/std/${name.slice(5)}/mod.ts`] : [name, target]
    ),
  );
}

async function serveFile(request: Request): Promise<Response> {
  const path = normalize(new URL(request.url).pathname);
  const text = await Deno.readTextFile(join(ROOT, path)).catch(() => undefined);
  if (text === undefined) return new Response("not found", { status: 404 });
  return new Response(text, { headers: { "content-type": "application/typescript" } });
}
