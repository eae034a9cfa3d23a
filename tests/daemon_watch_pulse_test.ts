import { assertEquals } from "@std/assert";
import { WatchPulse } from "../daemon/watch/watch_pulse.ts";
import { tempDirectory } from "./_temp.ts";

const ignore = Deno.build.os !== "linux";

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

/** Lets what changes a file's time do nothing, and tells of each, until it is restored or disposed of. */
function loseTouches(lost: (restore: () => void) => void): Disposable {
  const { utime } = Deno;
  const restore = (): void => void (Deno.utime = utime);
  Deno.utime = () => {
    lost(restore);
    return Promise.resolve();
  };
  return { [Symbol.dispose]: restore };
}

test("WatchPulse beats as often as it is asked, for several at once", async () => {
  await using directory = await tempDirectory();
  await Deno.writeTextFile(directory.file("lock"), "");
  using pulse = new WatchPulse(directory.file("lock"));
  for (let times = 0; times < 3; times++) {
    assertEquals(await Promise.all([pulse.beats(), pulse.beats()]), [true, true]);
  }
});

test("WatchPulse takes a process that was busy for none whose watches wait", async () => {
  await using directory = await tempDirectory();
  await Deno.writeTextFile(directory.file("lock"), "");
  using pulse = new WatchPulse(directory.file("lock"));
  await pulse.beats();
  const beats = pulse.beats();
  const until = performance.now() + 3_500;
  while (performance.now() < until);
  assertEquals(await beats, true);
});

test("WatchPulse tells nothing where its file is not there, or is another one", async () => {
  await using directory = await tempDirectory();
  const path = directory.file("lock");
  using pulse = new WatchPulse(path);
  assertEquals(await pulse.beats(), true);
  await Deno.writeTextFile(path, "");
  assertEquals(await pulse.beats(), true);
  await Deno.rename(path, directory.file("other"));
  await Deno.writeTextFile(path, "");
  assertEquals(await pulse.beats(), true);
});

test("WatchPulse beats where a change is lost, as some are where much is told at a time", async () => {
  await using directory = await tempDirectory();
  await Deno.writeTextFile(directory.file("lock"), "");
  using pulse = new WatchPulse(directory.file("lock"));
  using _touches = loseTouches((restore) => restore());
  assertEquals(await pulse.beats(), true);
});

test("WatchPulse waits while other changes are told, as many as there may be before its own", async () => {
  await using directory = await tempDirectory();
  await Deno.writeTextFile(directory.file("lock"), "");
  using pulse = new WatchPulse(directory.file("lock"));
  await pulse.beats();
  let turns = 0;
  using _touches = loseTouches((restore) => {
    pulse.told();
    if (++turns > 40) restore();
  });
  assertEquals(await pulse.beats(), true);
});

test("WatchPulse that is given up waits for nothing more", async () => {
  await using directory = await tempDirectory();
  await Deno.writeTextFile(directory.file("lock"), "");
  using pulse = new WatchPulse(directory.file("lock"));
  using _touches = loseTouches(() => {});
  const beats = pulse.beats();
  pulse.giveUp();
  assertEquals(await beats, false);
});
