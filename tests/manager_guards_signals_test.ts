import { assertEquals } from "@std/assert";
import { PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("what a plugin listens to signals with it can remove when nobody guards any more", async () => {
  await using directory = await tempDirectory();
  const source = `
    export const listen = (signal, told) => {
      const listener = () => told.push("called");
      signal.addEventListener("abort", listener);
      return { stop: () => signal.removeEventListener("abort", listener) };
    };`;
  const { path } = await writeArtifact(directory.path, source, { info: false });
  const manager = new PluginManager({ guards: true });
  const plugin = await manager.open(path);
  const [of, told] = [new AbortController(), []];
  const { stop } = await plugin.call<{ stop(): void }>("listen", of.signal, told);
  await manager.close();
  stop();
  of.abort();
  assertEquals(told, []);
});

Deno.test("a listener that generations have in common is called once, as without guards", async () => {
  await using directory = await tempDirectory();
  const source =
    `export const listen = (signal, listener) => { signal.addEventListener("abort", listener); };`;
  for (const guards of [true, false]) {
    await using manager = new PluginManager({ guards });
    const of = new AbortController();
    let calls = 0;
    const listener = (): void => void calls++;
    for (const scn of [SCN, SCN + 1]) {
      const { path } = await writeArtifact(directory.path, source, { scn, info: false });
      const plugin = await manager.open(path);
      await plugin.call("listen", of.signal, listener);
    }
    of.abort();
    assertEquals(calls, 1);
  }
});
