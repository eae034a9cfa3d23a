import { assertEquals } from "@std/assert";
import { judgeLoads } from "../daemon/state/judge_loads.ts";
import { NO_RECORD, type PluginRecord, type Suspect } from "../daemon/state/state_record.ts";
import { writeArtifact } from "./_artifacts.ts";
import { jsonLines, runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;
let loads = 0;

/** A load that had not ended, or only just had. */
function found(name: string, loaded = false) {
  return { name, scn: FIRST, path: "p", load: `run ${++loads}`, ...(loaded && { loaded }) };
}

function remembered(...suspects: (Partial<Suspect> & { readonly name: string })[]) {
  return new Map<string, PluginRecord>(suspects.map(({ name, ...rest }) => [
    name,
    { ...NO_RECORD, suspects: [{ scn: FIRST, path: "p", ...rest }] },
  ]));
}

function verdicts(...args: Parameters<typeof judgeLoads>): string[] {
  return judgeLoads(...args).map(({ load, verdict }) => `${load.name} ${verdict}`);
}

Deno.test("what is found loading is suspect, and in quarantine the second time, where it was alone", () => {
  assertEquals(verdicts(new Map(), [found("a"), found("b")]), ["a suspected", "b suspected"]);
  assertEquals(verdicts(remembered({ name: "a" }), [found("a")]), ["a quarantined"]);
  assertEquals(verdicts(remembered({ name: "a" }), [found("a"), found("b", true)]), [
    "a suspected",
    "b noted",
  ]);
});

Deno.test("what is found just loaded is suspect the second time, and in quarantine the fourth", () => {
  let records: ReadonlyMap<string, PluginRecord> = new Map();
  const told: string[] = [];
  for (let time = 0; time < 4; time++) {
    const judged = judgeLoads(records, [found("a", true)]);
    records = new Map(judged.map(({ load, record }) => [load.name, record]));
    told.push(...judged.map(({ verdict }) => verdict));
  }
  assertEquals(told, ["noted", "suspected", "suspected", "quarantined"]);
});

Deno.test("what has loaded between two ends of the process was found loading for the first time again", () => {
  const records = remembered({ name: "a", loading: 1, loaded: 0 });
  const [once] = judgeLoads(records, [found("a", true)]);
  assertEquals(once?.verdict, "noted");
  const after = new Map([["a", once?.record ?? NO_RECORD]]);
  assertEquals(verdicts(after, [found("a")]), ["a suspected"]);
});

Deno.test("loads of several processes in a journal are judged one after the other, and those of one as one", () => {
  const of = (run: string, loaded = false) => ({ ...found("a", loaded), load: `${run} 1` });
  assertEquals(verdicts(new Map(), [of("first"), of("second")]), ["a quarantined"]);
  assertEquals(verdicts(new Map(), [of("first"), of("first", true)]), ["a suspected"]);
});

Deno.test("what ends the process a moment after it was loaded is found, and what loads meanwhile is not blamed", async () => {
  await using directory = await tempDirectory();
  const plugins = directory.file("plugins");
  await Deno.mkdir(plugins);
  const put = (name: string, scn: number, source: string): Promise<unknown> =>
    writeArtifact(plugins, source, { name, scn });
  const run = async (): Promise<[killed: boolean, quarantined: string[], current: unknown]> => {
    const { code, stdout, stderr } = await runScript(
      directory.path,
      `import { PluginDaemon } from "project:daemon/mod.ts";
       const [watch, state] = ${JSON.stringify([plugins, directory.file("state")])};
       await using daemon = new PluginDaemon({ watch: [watch], state });
       await daemon.start();
       // So long it has had the time to end the process.
       await new Promise((resolve) => setTimeout(resolve, 1_500));
       console.log(JSON.stringify({
         quarantine: daemon.quarantine().map(({ name, scn }) => name + " " + scn),
         current: Object.fromEntries(daemon.manager.names().map((each) =>
           [each, daemon.manager.current(each)?.scn])),
       }));`,
    );
    const [line] = jsonLines<{ quarantine: string[]; current: unknown }>(stdout);
    assertEquals(line === undefined, code !== 0, stderr);
    return [code !== 0, line?.quarantine ?? [], line?.current];
  };
  await put("ends", FIRST, "export const v = 1;");
  // Slow, so that it is loading whenever the other one ends the process.
  const slow = "await new Promise((resolve) => setTimeout(resolve, 400)); export const v = 1;";
  for (const name of ["slow", "slower"]) await put(name, FIRST, slow);
  assertEquals((await run()).slice(0, 2), [false, []]);
  const kill = 'Deno.kill(Deno.pid, "SIGKILL")';
  await put("ends", SECOND, `export const activate = () => void setTimeout(() => ${kill}, 200);`);
  let last = await run();
  let ends = 0;
  for (; last[0] && ends < 10; ends++) last = await run();
  assertEquals(last, [false, [`ends ${SECOND}`], { ends: FIRST, slow: FIRST, slower: FIRST }]);
});
