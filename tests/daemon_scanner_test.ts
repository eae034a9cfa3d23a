import { assertEquals } from "@std/assert";
import { Scanner } from "../daemon/scanner.ts";
import type { ManagerOptions } from "../manager/mod.ts";
import { resolveManagerOptions } from "../manager/options.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { tempDirectory } from "./_temp.ts";

/** A scanner of a host that has nothing loaded. */
function makeScanner(options: ManagerOptions = {}): Scanner {
  return new Scanner({
    options: resolveManagerOptions(options),
    manager: { current: () => undefined },
    recursive: false,
    isHeld: () => false,
    isLocal: () => true,
    follows: () => true,
    pipes: () => Promise.resolve(),
    listed: () => {},
    unlisted: () => {},
    sources: () => [],
    emit: () => {},
  });
}

Deno.test("A scan goes by what was told of, and the next one finds what nobody told of", async () => {
  await using directory = await tempDirectory();
  const scanner = makeScanner();
  await scanner.scan([directory.path]);
  const { infoPath, path } = await writeArtifact(directory.path, "export {};", { name: "told" });
  await writeArtifact(directory.path, "export {};", { name: "untold" });
  const scan = async (): Promise<string[]> => [...(await scanner.scan([directory.path])).keys()];

  scanner.tell(path);
  scanner.tell(infoPath);
  assertEquals([await scan(), scanner.isBrief], [["told"], true]);
  assertEquals([(await scan()).sort(), scanner.isBrief], [["told", "untold"], false]);
});

Deno.test("A scan that is asked for lists the folders, whatever was told of", async () => {
  await using directory = await tempDirectory();
  const scanner = makeScanner();
  await scanner.scan([directory.path]);
  const { path } = await writeArtifact(directory.path, "export {};", { name: "told" });
  scanner.tell(path);
  scanner.tell();
  await scanner.scan([directory.path]);
  assertEquals(scanner.isBrief, false);
});

Deno.test("A scanner looks for older versions down to the initial SCN, and no further", async () => {
  await using directory = await tempDirectory();
  for (let scn = SCN; scn < SCN + 10; scn++) {
    await writeArtifact(directory.path, "export {};", { scn });
  }
  for (const [initialScn, isMore] of [[SCN, true], [SCN + 6, false]] as const) {
    const scanner = makeScanner({ initialScn });
    const choices = await scanner.scan([directory.path]);
    assertEquals(choices.get("pricing")?.candidates.length, 4);
    assertEquals(scanner.deepen("pricing"), isMore);
  }
});
