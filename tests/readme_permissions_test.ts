import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { writeArtifact } from "./_artifacts.ts";
import { seedNpmCache } from "./_npm_cache.ts";
import { runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const README = fromFileUrl(new URL("../README.md", import.meta.url));

/** Each part at its work, in a directory with a source and an artifact. */
const parts: Record<string, string> = {
  artifact: `
    import { hostTarget, scnFromDate } from "project:artifact/mod.ts";
    hostTarget(), scnFromDate(new Date());`,
  builder: `
    import { build } from "project:builder/mod.ts";
    await build({ source: "DIR/tax.ts", dest: "DIR/built", gzip: true });`,
  service: `
    import { build, BuildService } from "project:builder/mod.ts";
    await using service = new BuildService({ port: 0, cacheDir: "DIR/cache" });
    const remote = await service.start();
    await build({ source: "DIR/tax.ts", dest: "DIR/built", remote });`,
  manager: `
    import { PluginManager } from "project:manager/mod.ts";
    await using manager = new PluginManager({ guards: true });
    await manager.openNewest("DIR", "pricing");`,
  daemon: `
    import { PluginDaemon } from "project:daemon/mod.ts";
    await using daemon = new PluginDaemon({ watch: ["DIR"] });
    await daemon.start();
    if (daemon.manager.names().join() !== "pricing") throw new Error("not loaded");`,
  gateway: `
    import { Gateway, PluginDaemon } from "project:daemon/mod.ts";
    await using daemon = new PluginDaemon({ watch: ["DIR"] });
    await using gateway = new Gateway(daemon);
    const url = await gateway.start();
    await daemon.start();
    const response = await fetch(new URL("pricing/", url));
    if (response.status !== 404) throw new Error(await response.text());
    await response.text();`,
  control: `
    import { ControlServer, PluginDaemon } from "project:daemon/mod.ts";
    const state = "DIR/state";
    await using daemon = new PluginDaemon({ watch: ["DIR"], state });
    await daemon.open();
    const tcp = { hostname: "127.0.0.1", port: 0 };
    await using control = new ControlServer(daemon, { state, tcp });
    const { socket, url } = await control.start();
    await daemon.start();
    const token = (await Deno.readTextFile(state + "/control.token")).trim();
    const headers = { authorization: "Bearer " + token };
    for (const path of ["/readyz", "/metrics", "/v1/openapi.json", "/v1/events?follow=false"]) {
      const response = await fetch(new URL(path, url), { headers });
      if (!response.ok) throw new Error(path + (await response.text()));
      await response.text();
    }`,
};

/** What README grants a part; which files and programs it means is filled in. */
async function granted(part: string, directory: string): Promise<string[]> {
  const row = (await Deno.readTextFile(README)).split("\n")
    .find((line) => line.startsWith(`| ${part} `));
  assert(row, `README has no row for ${part}`);
  const flags: string[] = row.match(/--allow-[a-z]+(?:=[A-Za-z,]+)?/g) ?? [];
  const [, other] = /as the (manager|builder|daemon)/.exec(row) ?? [];
  if (other !== undefined) {
    // Its own word comes first: Deno takes a flag with a list and without one as a mistake.
    const more = await granted(other, directory);
    flags.push(...more.filter((flag) => !flags.some((own) => kindOf(own) === kindOf(flag))));
  }
  return [...new Set(flags)].map((flag) => {
    if (flag === "--allow-write") return `${flag}=${directory}`;
    if (flag === "--allow-read" && !/builder|service/.test(part)) return `${flag}=${directory}`;
    return flag === "--allow-run" ? `${flag}=${Deno.execPath()}` : flag;
  });
}

function kindOf(flag: string): string {
  return flag.replace(/=.*/, "");
}

for (const [part, source] of Object.entries(parts)) {
  Deno.test({
    name: `${part} needs no permission but those that README names`,
    // What the runtime asks for, of the system above all, differs by platform.
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using directory = await tempDirectory();
      await Deno.writeTextFile(directory.file("tax.ts"), "export const rate = 0.2;");
      await writeArtifact(directory.path, "export const a = 1;");
      if (part === "service") await seedNpmCache(directory.file("cache", "deno"));
      const { code, stderr } = await runScript(
        directory.path,
        source.replaceAll("DIR", directory.path),
        ["--no-prompt", ...await granted(part, directory.path)],
      );
      assertEquals(code, 0, stderr);
    },
  });
}
