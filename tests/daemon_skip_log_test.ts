import { assertEquals } from "@std/assert";
import { parseArtifactName } from "../artifact/mod.ts";
import { SkipLog } from "../daemon/scan/skip_log.ts";
import type { Candidate, Choice } from "../manager/mod.ts";

type Code = Choice["skips"][number]["refusal"]["code"];

function candidate(file: string): Candidate {
  return { directory: "plugins", file, parts: parseArtifactName(file), bare: false };
}

function choice(skips: readonly [file: string, code: Code][], candidates: string[] = []): Choice {
  return {
    name: "pricing",
    candidates: candidates.map(candidate),
    twins: [],
    skips: skips.map(([file, code]) => ({
      ...candidate(file),
      refusal: { code, reason: "it is not for this host" },
    })),
  };
}

const WINDOWS = "pricing_20240101000000_2_0_0_windows_arm64.mjs";
const PORTABLE = "pricing_20240101000000_2_0_0_any_any.mjs";
const OLDER = "pricing_20230101000000_2_0_0_any_any.mjs";

function codes(log: SkipLog, ...choices: Choice[]): string[] {
  return log.news(choices).map(({ type, code }) => `${type} ${code}`);
}

Deno.test("SkipLog tells of each artifact once for each reason", () => {
  const log = new SkipLog();
  assertEquals(codes(log, choice([[PORTABLE, "future"]])), ["skipped future"]);
  assertEquals(codes(log, choice([[PORTABLE, "future"]])), []);
  assertEquals(codes(log, choice([[PORTABLE, "runtime"]])), ["skipped runtime"]);
});

Deno.test("SkipLog tells of a conflict as one", () => {
  const log = new SkipLog();
  assertEquals(codes(log, choice([[PORTABLE, "conflict"]])), ["conflict conflict"]);
});

Deno.test("SkipLog takes another platform for no news where something as new fits", () => {
  const log = new SkipLog();
  assertEquals(codes(log, choice([[WINDOWS, "platform"]], [PORTABLE])), []);
  assertEquals(codes(log, choice([[WINDOWS, "platform"]], [OLDER])), ["skipped platform"]);
});

Deno.test("SkipLog forgets what is gone", () => {
  const log = new SkipLog();
  codes(log, choice([[PORTABLE, "runtime"]]));
  assertEquals(codes(log), []);
  assertEquals(codes(log, choice([[PORTABLE, "runtime"]])), ["skipped runtime"]);
});
