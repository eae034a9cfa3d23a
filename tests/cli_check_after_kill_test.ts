import { assertEquals } from "@std/assert";
import { basename } from "@std/path";
import type { DaemonCheck } from "../daemon/mod.ts";
import { writeArtifact } from "./_artifacts.ts";
import { hotplug, startDaemon } from "./_cli.ts";
import { makeDaemon, makeHang } from "./_daemon.ts";
import { type TempDirectory, tempDirectory } from "./_temp.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;

/** A watched folder, a state folder, and what daemons make of them. */
interface Place extends AsyncDisposable {
  readonly watch: string;
  readonly state: string;
  /** Writes a version that kills its process while it is marked. */
  write(scn: number): Promise<unknown>;
  mark(scn: number): Promise<void>;
  unmark(scn: number): Promise<void>;
  /** Starts a daemon, which serves the version and is stopped. */
  serve(scn: number): Promise<void>;
  /** Starts a daemon, which is killed by what it loads. */
  die(): Promise<void>;
  /** The exit code of a check, the version it would load, and which codes keep what else out. */
  check(): Promise<[number, number | undefined, ...string[]]>;
}

async function place(): Promise<Place> {
  const directory: TempDirectory = await tempDirectory();
  const [watch, state] = [directory.file("plugins"), directory.file("state")];
  const markOf = (scn: number): string => directory.file(`mark-${scn}`);
  await Deno.mkdir(watch);
  const args = [watch, "--state", state, "--no-control"];
  return {
    watch,
    state,
    write: (scn) =>
      writeArtifact(
        watch,
        `import { existsSync } from "node:fs";
        if (existsSync(${JSON.stringify(markOf(scn))})) Deno.kill(Deno.pid, "SIGKILL");
        export const scn = () => ${scn};`,
        { name: "ends", scn },
      ),
    mark: (scn) => Deno.writeTextFile(markOf(scn), ""),
    unmark: (scn) => Deno.remove(markOf(scn)),
    async serve(scn) {
      await using daemon = startDaemon(args);
      await daemon.events.next((event) => event.type === "loaded" && event.scn === scn);
      daemon.kill("SIGTERM");
      assertEquals((await daemon.ended()).code, 0);
    },
    async die() {
      await using daemon = startDaemon(args);
      assertEquals((await daemon.ended()).code, 128 + 9);
    },
    async check() {
      const { code, stdout } = await hotplug("daemon", "--check", "--json", ...args);
      const { plugins: [plugin] } = JSON.parse(stdout.split("\n")[0] ?? "") as DaemonCheck;
      const refused = plugin?.refused.map(({ path, code }) => `${basename(path)} ${code}`) ?? [];
      return [code, plugin?.scn, ...refused];
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

const fileOf = (scn: number): string => `ends_${scn}_2_0_0_any_any.mjs`;
const ignore = Deno.build.os === "windows";

Deno.test({
  name: "A check does not vouch for a version whose load a daemon was killed in",
  ignore,
  async fn() {
    await using at = await place();
    await at.write(FIRST);
    await at.serve(FIRST);
    assertEquals(await at.check(), [0, FIRST]);
    await at.write(SECOND);
    await at.mark(SECOND);
    await at.die();
    assertEquals(await at.check(), [1, FIRST, `${fileOf(SECOND)} crashed`]);
    // Nothing is changed by looking.
    assertEquals(await at.check(), [1, FIRST, `${fileOf(SECOND)} crashed`]);
    await at.unmark(SECOND);
    await at.serve(SECOND);
    assertEquals(await at.check(), [0, SECOND]);
  },
});

Deno.test({
  name: "A check does not vouch for what a daemon was killed in as it reopened it",
  ignore,
  async fn() {
    await using at = await place();
    await at.write(FIRST);
    await at.serve(FIRST);
    await at.mark(FIRST);
    await at.die();
    assertEquals(await at.check(), [1, undefined, `${fileOf(FIRST)} crashed`]);
    await at.unmark(FIRST);
    await at.serve(FIRST);
    assertEquals(await at.check(), [0, FIRST]);
  },
});

Deno.test("A check beside a daemon says what that is loading would be loaded", async () => {
  await using at = await place();
  await using hang = makeHang();
  await writeArtifact(at.watch, hang.source, { name: "ends", scn: FIRST });
  await using fixture = makeDaemon([at.watch], { state: at.state });
  const started = fixture.daemon.start();
  await hang.entered;
  assertEquals(await at.check(), [0, FIRST]);
  await hang[Symbol.asyncDispose]();
  await started;
});
