import { assertEquals } from "@std/assert";
import { type PluginScope, scopeOfUrl } from "../manager/guards/plugin_scope.ts";
import { ScopeKeeper } from "../manager/guards/scope_keeper.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { blamedOf } from "./_blamed.ts";
import { jsonLines, runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("of more plugins than a hundred that load at once none ends the process", async () => {
  const names = Array.from({ length: 150 }, (_, index) => `plugin${index}`);
  const source = "Promise.reject(new Error('late')); export const a = 1;";
  const blamed = await blamedOf(names, () => source);
  assertEquals([blamed.code, blamed.stderr], [0, ""]);
  assertEquals(blamed.names.toSorted(), names.toSorted());
});

Deno.test("a plugin whose load failed a hundred failures ago does not end the process", async () => {
  await using directory = await tempDirectory();
  const late = await writeArtifact(
    directory.path,
    "globalThis.late = () => setTimeout(() => { throw new Error('late'); });" +
      "throw new Error('first');",
    { name: "late" },
  );
  const failing = await writeArtifact(directory.path, "throw new Error('again');");
  const { code, stdout, stderr } = await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    await using manager = new PluginManager({ guards: true });
    const told = Promise.withResolvers();
    manager.subscribe((event) => event.code === "uncaught" && told.resolve(event));
    for (const path of [${JSON.stringify(late.path)}, ...Array(120).fill(${
      JSON.stringify(failing.path)
    })]) {
      await manager.open(path).catch(() => {});
    }
    globalThis.late();
    const { name, scn } = await told.promise;
    console.log(JSON.stringify({ name, scn }));
    `,
  );
  assertEquals([code, stderr], [0, ""]);
  assertEquals(jsonLines(stdout), [{ name: "late", scn: SCN }]);
});

Deno.test("scopes that are over have one in common of each version, after those of their own", () => {
  const keeper = new ScopeKeeper(1);
  const scopes = [1, 2, 3, 4].map((ordinal): PluginScope => ({
    name: "pricing",
    scn: SCN,
    directoryUrl: `file:///store/pricing@${SCN}-${ordinal}/`,
    report: () => {},
  }));
  for (const scope of scopes) keeper.add(scope);
  for (const scope of scopes.slice(0, 3)) keeper.release(scope);
  const [first, second, third, last] = scopes.map(({ directoryUrl }) =>
    scopeOfUrl(`${directoryUrl}a.mjs`)
  );
  assertEquals([first?.name, first?.scn, second], ["pricing", SCN, first]);
  assertEquals([third, last], [scopes[2], scopes[3]]);
  keeper.close();
  assertEquals(scopeOfUrl(`${scopes[0]?.directoryUrl}a.mjs`), undefined);
});

Deno.test("of versions that are over long since only the newest are kept", () => {
  const keeper = new ScopeKeeper(2);
  const scopes = [1, 2, 3, 4, 5, 6].map((version): PluginScope => ({
    name: "pricing",
    scn: SCN + version,
    directoryUrl: `file:///store/pricing@${SCN + version}-${version}/`,
    report: () => {},
  }));
  for (const scope of scopes) {
    keeper.add(scope);
    keeper.release(scope);
  }
  const known = scopes.map(({ directoryUrl }) => scopeOfUrl(`${directoryUrl}a.mjs`)?.scn);
  assertEquals(known, [undefined, undefined, ...scopes.slice(2).map(({ scn }) => scn)]);
  keeper.close();
});
