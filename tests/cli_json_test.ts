import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { writeArtifact } from "./_artifacts.ts";
import { PATIENCE, spawnHotplug, startDaemon, temporaryIn } from "./_cli.ts";
import { tempDirectory } from "./_temp.ts";

/** Prints in every way there is, each line told apart by where and how it was printed. */
const PRINTS = `
  import process from "node:process";
  import { Console } from "node:console";
  const own = new Console(process.stdout);
  const encode = (text) => new TextEncoder().encode(text + "\\n");
  const print = async (where) => {
    for (const key of ["log", "info", "debug", "warn", "error", "dir", "dirxml", "trace"]) {
      console[key](where + "." + key);
    }
    console.table([{ at: where + ".table" }]);
    console.time(where + ".time");
    console.timeLog(where + ".time");
    console.timeEnd(where + ".time");
    console.count(where + ".count");
    console.group(where + ".group");
    console.groupEnd();
    console.assert(false, where + ".assert");
    own.log(where + ".own");
    process.stdout.write(where + ".process\\n");
    await Deno.stdout.write(encode(where + ".write"));
    Deno.stdout.writeSync(encode(where + ".writeSync"));
    const writer = Deno.stdout.writable.getWriter();
    await writer.write(encode(where + ".writable"));
    writer.releaseLock();
    console.log(where + " is done");
  };
`;
const WAYS = [
  ..."log info debug warn error dir dirxml trace table time count group assert".split(" "),
  ..."own process write writeSync writable".split(" "),
];

Deno.test("hotplug daemon --json keeps standard output to its events, whatever a plugin prints", async () => {
  await using directory = await tempDirectory();
  const source = `${PRINTS}
    await print("top");
    export async function activate() {
      await print("activate");
      setTimeout(() => print("timer"), 1);
    }`;
  await writeArtifact(directory.path, source, { name: "loud" });
  await using daemon = startDaemon([directory.path]);
  await daemon.printed("timer is done");
  await daemon.events.next(({ type }) => type === "ready", PATIENCE);
  daemon.kill("SIGINT");
  const { stdout, stderr } = await daemon.ended();

  for (const where of ["top", "activate", "timer"]) {
    for (const way of WAYS) assertStringIncludes(stderr, `${where}.${way}`);
  }
  assert(stdout.endsWith("\n"));
  const types = stdout.trimEnd().split("\n").map((line) => JSON.parse(line).type);
  assertEquals(types.toSorted(), ["loaded", "ready", "stopped", "watch"]);
});

Deno.test("each event of hotplug daemon --json holds a type and a time, and what it is about", async () => {
  await using directory = await tempDirectory();
  const good = await writeArtifact(directory.path, "export const a = 1;", { name: "good" });
  const bad = await writeArtifact(directory.path, "throw new Error('no');", { name: "bad" });
  await using daemon = startDaemon([directory.path]);
  await daemon.events.next(({ type }) => type === "ready", PATIENCE);
  daemon.kill("SIGINT");
  await daemon.ended();

  for (const { time } of daemon.events.all) assertEquals(new Date(time).toISOString(), time);
  const [loaded] = daemon.events.of("loaded");
  assertEquals([loaded?.name, loaded?.scn, loaded?.path], ["good", good.parts.scn, good.path]);
  const [failed] = daemon.events.of("failed");
  assertEquals([failed?.code, failed?.path], ["load", bad.path]);
  const [ready] = daemon.events.of("ready");
  assertEquals([ready?.watch, ready?.plugins], [[directory.path], ["good"]]);
});

Deno.test("hotplug build --json prints nothing but its artifacts, with an npm package to fetch too", async () => {
  await using directory = await tempDirectory();
  const source = directory.file("late.ts");
  await Deno.writeTextFile(
    source,
    `import { Decimal } from "npm:decimal.js@10.6.0";
     console.log("a build runs no plugin");
     export const twice = (price: string): string => new Decimal(price).times(2).toFixed(2);`,
  );
  const dest = directory.file("plugins");
  const child = spawnHotplug(
    ["build", source, "--dest", dest, "--json"],
    temporaryIn(directory.path),
  );
  const { code, stdout, stderr } = await child.output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const built = JSON.parse(new TextDecoder().decode(stdout));
  assertEquals([built.type, built.name, built.target], ["built", "late", "any"]);
  assert((await Deno.stat(built.path)).isFile);
});
