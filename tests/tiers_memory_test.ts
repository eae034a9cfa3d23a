import { assert, assertEquals } from "@std/assert";
import { writeArtifact } from "./_artifacts.ts";
import { runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const SOURCE = `
  export default { fetch: () => new Response("ok") };
  export async function* count() { yield 1; }`;

/** What is done over and over. */
const USES = {
  "answers to requests": "await (await lease.fetch(new Request('http://a/'), {})).text();",
  "streams that are read": "for await (const each of await lease.call('count')) each;",
};

for (const tier of ["worker", "process"]) {
  for (const [what, use] of Object.entries(USES)) {
    Deno.test(`tier ${tier}: nothing is left behind in the host of ${what}`, async () => {
      await using directory = await tempDirectory();
      const { path } = await writeArtifact(directory.path, SOURCE, { info: false });
      const script = `
        import { PluginManager } from "project:manager/mod.ts";
        await using manager = new PluginManager({ tier: ${JSON.stringify(tier)} });
        await manager.open(${JSON.stringify(path)});
        using lease = manager.acquire("pricing");
        const used = async (times) => {
          for (let time = 0; time < times; time++) { ${use} }
          for (let turn = 0; turn < 3; turn++) {
            gc();
            // What is collected is told of in a turn of its own.
            await new Promise((resolve) => setTimeout(resolve));
          }
          return Deno.memoryUsage().heapUsed;
        };
        const before = await used(300);
        console.log(await used(1_000) - before);`;
      const flags = ["-A", "--v8-flags=--expose-gc"];
      const { code, stdout, stderr } = await runScript(directory.path, script, flags);
      assertEquals(code, 0, stderr);
      assert(Number(stdout) < 5e5, `${stdout.trim()} bytes after a thousand`);
    });
  }
}
