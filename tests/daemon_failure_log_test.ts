import { assertEquals } from "@std/assert";
import { type ErrorCode, HotplugError } from "../artifact/mod.ts";
import { FailureLog } from "../daemon/loading/failure_log.ts";
import { SCN } from "./_artifacts.ts";

const PATH = "pricing.mjs";
const MARKS = { text: "1:10:1000", files: "1" };
const BACKOFF = { retryMin: 1_000, retryMax: 10_000 };

function error(code: ErrorCode): HotplugError {
  return new HotplugError(code, "it failed");
}

Deno.test("FailureLog lets what never failed be tried", () => {
  const log = new FailureLog(BACKOFF);
  assertEquals([log.mayTry(PATH, MARKS, 0), log.known(PATH, MARKS)], [true, undefined]);
  assertEquals([log.paths(), log.nextRetry()], [[], undefined]);
});

Deno.test("FailureLog doubles the pause with each passing failure, up to the longest", () => {
  const log = new FailureLog(BACKOFF);
  const pauses: number[] = [];
  for (let attempt = 0; attempt < 6; attempt++) {
    pauses.push(log.add(PATH, SCN, MARKS, error("load"), 500).retryAt - 500);
  }
  assertEquals(pauses, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  assertEquals(log.known(PATH, MARKS)?.attempts, 6);
});

Deno.test("FailureLog counts for months without losing its measure", () => {
  const log = new FailureLog(BACKOFF);
  for (let attempt = 0; attempt < 5_000; attempt++) log.add(PATH, SCN, MARKS, error("load"), 0);
  assertEquals(log.nextRetry(), 10_000);
});

Deno.test("FailureLog lets a passing failure be tried again when its time comes", () => {
  const log = new FailureLog(BACKOFF);
  log.add(PATH, SCN, MARKS, error("activation"), 0);
  assertEquals([log.mayTry(PATH, MARKS, 999), log.mayTry(PATH, MARKS, 1_000)], [false, true]);
  assertEquals(log.nextRetry(), 1_000);
});

Deno.test("FailureLog does not let a final failure be tried again", () => {
  const log = new FailureLog(BACKOFF);
  log.add(PATH, SCN, MARKS, error("integrity"), 0);
  assertEquals(log.mayTry(PATH, MARKS, Number.MAX_SAFE_INTEGER), false);
  assertEquals(log.nextRetry(), undefined);
});

Deno.test("FailureLog lets another state of the file be tried, and counts it anew", () => {
  const log = new FailureLog(BACKOFF);
  log.add(PATH, SCN, MARKS, error("load"), 0);
  log.add(PATH, SCN, MARKS, error("load"), 0);
  const other = { text: "1:11:1001", files: "1" };
  assertEquals([log.mayTry(PATH, other, 0), log.known(PATH, other)], [true, undefined]);
  assertEquals(log.add(PATH, SCN, other, error("load"), 0).attempts, 1);
});

Deno.test("FailureLog tells a file that is written to from one that is replaced", () => {
  const log = new FailureLog(BACKOFF);
  assertEquals(log.isRewritten(PATH, MARKS), false);
  log.add(PATH, SCN, MARKS, error("integrity"), 0);
  assertEquals(log.isRewritten(PATH, MARKS), false);
  assertEquals(log.isRewritten(PATH, { text: "1:11:1001", files: "1" }), true);
  assertEquals(log.isRewritten(PATH, { text: "2:11:1001", files: "2" }), false);
});

Deno.test("FailureLog wakes for the failure whose time comes first", () => {
  const log = new FailureLog(BACKOFF);
  log.add("a", SCN, MARKS, error("load"), 700);
  log.add("b", SCN, MARKS, error("io"), 300);
  log.add("c", SCN, MARKS, error("syntax"), 0);
  assertEquals([log.nextRetry(), log.paths()], [1_300, ["a", "b", "c"]]);
  assertEquals(log.take("b")?.code, "io");
  assertEquals([log.nextRetry(), log.take("b")], [1_700, undefined]);
});
