import { writeArtifact } from "./_artifacts.ts";
import { jsonLines, runScript, type ScriptResult } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

/** How a host has ended, and whom it has blamed. */
export interface Blamed extends ScriptResult {
  /** The names of the plugins, in the order in which they were blamed. */
  readonly names: readonly string[];
}

/** Lets a host with guards load plugins at the same time, until each of them was blamed. */
export async function blamedOf(
  names: readonly string[],
  sourceOf: (index: number) => string,
): Promise<Blamed> {
  await using directory = await tempDirectory();
  const files = await Promise.all(
    names.map((name, index) =>
      writeArtifact(directory.path, sourceOf(index), { name, info: false })
    ),
  );
  const result = await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    const manager = new PluginManager({ guards: true });
    const told = Promise.withResolvers();
    const alive = setInterval(() => {}, 60_000);
    let left = ${names.length};
    manager.subscribe(({ code, name }) => {
      if (code !== "uncaught") return;
      console.log(JSON.stringify({ name }));
      if (--left === 0) told.resolve();
    });
    const paths = ${JSON.stringify(files.map(({ path }) => path))};
    await Promise.all(paths.map((path) => manager.open(path)));
    await told.promise;
    clearInterval(alive);
    await manager.close();
    `,
  );
  return { ...result, names: jsonLines<{ name: string }>(result.stdout).map(({ name }) => name) };
}
