import { assertEquals } from "@std/assert";
import { Scanner, type ScannerWorld } from "../daemon/scan/scanner.ts";
import type { ManagerOptions } from "../manager/mod.ts";
import { resolveManagerOptions } from "../manager/settings/options.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { takeLock } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

/** A scanner of a host that has nothing loaded. */
function makeScanner(options: ManagerOptions = {}, world: Partial<ScannerWorld> = {}): Scanner {
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
    ...world,
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

Deno.test("What was listed ahead is what the next scan goes by, and no later one", async () => {
  await using directory = await tempDirectory();
  const scanner = makeScanner();
  await writeArtifact(directory.path, "export {};", { name: "early" });
  await scanner.listAhead([directory.path]);
  await writeArtifact(directory.path, "export {};", { name: "late" });
  const scan = async (): Promise<string[]> => [...(await scanner.scan([directory.path])).keys()];

  assertEquals([await scan(), scanner.isBrief, scanner.status().scans.count], [
    ["early"],
    false,
    1,
  ]);
  assertEquals((await scan()).sort(), ["early", "late"]);
});

Deno.test("What came since the folders were listed ahead is found, as far as it was told of", async () => {
  const tellings: ((scanner: Scanner, path: string) => void)[] = [
    (scanner, path) => scanner.tell(path),
    (scanner) => scanner.tell(),
    (scanner, path) => {
      for (let other = 0; other < 100; other++) scanner.tell(`${path}${other}`);
    },
  ];
  for (const tell of tellings) {
    await using directory = await tempDirectory();
    const scanner = makeScanner();
    await scanner.listAhead([directory.path]);
    const { infoPath, path } = await writeArtifact(directory.path, "export {};");
    tell(scanner, path);
    scanner.tell(infoPath);
    const choices = await scanner.scan([directory.path]);
    assertEquals([[...choices.keys()], scanner.status().scans.count], [["pricing"], 1]);
  }
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

Deno.test("How far a scanner looks for a plugin's versions is forgotten with the last of them", async () => {
  await using directory = await tempDirectory();
  const scanner = makeScanner();
  const found = async (): Promise<number | undefined> =>
    (await scanner.scan([directory.path])).get("pricing")?.candidates.length;
  const paths: string[] = [];
  const publish = async (): Promise<void> => {
    for (let scn = SCN; scn < SCN + 10; scn++) {
      const { path, infoPath } = await writeArtifact(directory.path, "export {};", { scn });
      paths.push(path, infoPath);
    }
  };
  await publish();
  assertEquals([await found(), scanner.deepen("pricing"), await found()], [4, true, 10]);
  for (const path of paths.splice(0)) await Deno.remove(path);
  assertEquals(await found(), undefined);
  await publish();
  assertEquals(await found(), 4);
});

Deno.test("A build that takes its lock while the folders are being listed is unfinished at the next scan", async () => {
  await using directory = await tempDirectory();
  // Pipes are seen to between the listing and its use.
  const pipes = async (): Promise<void> => {
    scanner.tell(await takeLock(directory.path, { scn: SCN }));
  };
  const scanner = makeScanner({}, { pipes });
  await scanner.scan([directory.path]);
  const { path, infoPath } = await writeArtifact(directory.path, "export {};");
  for (const each of [path, infoPath]) scanner.tell(each);
  assertEquals([...(await scanner.scan([directory.path])).keys()], []);
});

Deno.test("A scan that is asked for while the folders are being listed lists them again", async () => {
  await using directory = await tempDirectory();
  const scanner = makeScanner({}, {
    pipes: () => Promise.resolve(scanner.tell()),
  });
  await scanner.scan([directory.path]);
  scanner.tell((await writeArtifact(directory.path, "export {};")).path);
  await scanner.scan([directory.path]);
  assertEquals(scanner.isBrief, false);
});

Deno.test("Names with anything but digits where an SCN belongs hide no version", async () => {
  await using directory = await tempDirectory();
  await writeArtifact(directory.path, "export {};");
  for (let copy = 10; copy < 20; copy++) {
    await Deno.writeTextFile(directory.file(`pricing_my-old-copy-${copy}_2_0_0_any_any.mjs`), "");
  }
  const choices = await makeScanner().scan([directory.path]);
  assertEquals(choices.get("pricing")?.candidates.length, 1);
});
