import { assertEquals } from "@std/assert";
import { PluginManager } from "../manager/mod.ts";
import { writeArtifact } from "./_artifacts.ts";
import { tempDirectory } from "./_temp.ts";

const globals = globalThis as { hotplugTest?: Promise<void> };
const FINE = "export const url = () => import.meta.url;";
/** By their plugins' names. */
const BAD = {
  broken: { source: "export const = 1;", code: "syntax" },
  thrower: { source: "throw new Error('no');", code: "load" },
  waiter: { source: "await globalThis.hotplugTest;", code: "deadline" },
  lost: { source: "import 'node:nothing-of-this-name';", code: "syntax" },
} as const;

Deno.test("of plugins that come at once each fails alone, and as it does by itself", async () => {
  await using directory = await tempDirectory();
  const bad = await Promise.all(
    Object.entries(BAD).map(([name, { source }]) =>
      writeArtifact(directory.path, source, { name })
    ),
  );
  const fine = await Promise.all(
    Array.from({ length: 20 }, (_, n) => writeArtifact(directory.path, FINE, { name: `fine${n}` })),
  );
  const waiting = Promise.withResolvers<void>();
  globals.hotplugTest = waiting.promise;
  try {
    const alone: Error[] = [];
    await using manager = new PluginManager({ loadDeadline: 500 });
    for (const { path } of bad) alone.push(await manager.open(path).catch((error) => error));
    const together = await Promise.allSettled(
      [...bad.slice(0, 2), ...fine, ...bad.slice(2)].map(({ path }) => manager.open(path)),
    );
    const failed = together.flatMap((each) => each.status === "rejected" ? [each.reason] : []);
    assertEquals(failed.map(messageOf), alone.map(messageOf));
    assertEquals(failed.map(({ code }) => code), Object.values(BAD).map(({ code }) => code));
    assertEquals(manager.names().filter((name) => name.startsWith("fine")).length, 20);
  } finally {
    // Deno fails a test file that leaves a top level unsettled.
    waiting.resolve();
    delete globals.hotplugTest;
  }
});

Deno.test("plugins that come at once are read together as far as they are small, thirty-two at a time", async () => {
  await using directory = await tempDirectory();
  const large = await writeArtifact(directory.path, `${FINE}//${"x".repeat(128 * 1024)}`, {
    name: "large",
  });
  const small = await Promise.all(
    Array.from({ length: 33 }, (_, n) => writeArtifact(directory.path, FINE, { name: `p${n}` })),
  );
  await using manager = new PluginManager();
  const opened = await Promise.all([large, ...small].map(({ path }) => manager.open(path)));
  const urls = await Promise.all(opened.map((each) => each.call("url") as Promise<string>));
  const imports = urls.slice(1, 33).map((url) => `import(${JSON.stringify(url)})`);
  assertEquals(
    await Deno.readTextFile(new URL("ahead.mjs", urls[1])),
    `export default () => [${imports.join(",\n")}];\n`,
  );
  for (const alone of [urls[0], urls[33]]) {
    assertEquals((await Array.fromAsync(Deno.readDir(new URL(".", alone)))).length, 1);
  }
});

/** Without what tells one load from another. */
function messageOf({ message }: Error): string {
  return message.replaceAll(/file:\S+/g, "");
}
