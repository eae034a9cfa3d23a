import { assert, assertEquals } from "@std/assert";
import { choose, type ManagerOptions, resolveManagerOptions } from "../manager/mod.ts";

const NOW = Date.UTC(2026, 0, 1);
const HOST = { version: "2.9.5", os: "linux", arch: "amd64" } as const;

interface Setting extends ManagerOptions {
  current?: Record<string, number>;
}

function chosen(files: string[], { current = {}, ...options }: Setting = {}) {
  return choose([{ directory: "/plugins", files }], {
    options: resolveManagerOptions({ runtime: HOST, ...options }),
    currentScn: (name) => current[name],
    now: NOW,
  });
}

const candidates = (files: string[], setting?: Setting): string[] =>
  [...chosen(files, setting).values()].flatMap((each) => each.candidates.map(({ file }) => file));

const skips = (files: string[], setting?: Setting): string[] =>
  [...chosen(files, setting).values()].flatMap((each) =>
    each.skips.map(({ file, refusal }) => `${file}: ${refusal.code}`)
  );

const file = (day: number, rest = "2_9_5_any_any.mjs", name = "a"): string =>
  `${name}_202501${String(day).padStart(2, "0")}000000_${rest}`;

Deno.test("candidates come newest first, and an exact platform before any", () => {
  const files = [
    file(1),
    file(3),
    file(2, "2_9_5_linux_amd64.mjs"),
    file(2),
    file(3, "2_0_0_linux_amd64.mjs.gz"),
  ];
  const wanted = [files[4], files[1], files[2], files[3], files[0]];
  assertEquals(candidates(files), wanted);
  assertEquals(candidates(files.toReversed()), wanted);
});

Deno.test("plugins are chosen apart, over all folders together", () => {
  const choices = choose(
    [{ directory: "/one", files: [file(1), file(1, "2_9_5_any_any.mjs", "b")] }, {
      directory: "/two",
      files: [file(2)],
    }],
    { options: resolveManagerOptions({ runtime: HOST }), currentScn: () => undefined, now: NOW },
  );
  assertEquals([...choices.keys()].sort(), ["a", "b"]);
  assertEquals(choices.get("a")?.candidates.map((each) => each.directory), ["/two", "/one"]);
});

Deno.test("what is loaded, and what is older, is no candidate", () => {
  const files = [file(1), file(2), file(3)];
  assertEquals(candidates(files, { current: { a: 20250102000000 } }), [file(3)]);
  assertEquals(candidates(files, { current: { a: 20250103000000 } }), []);
  assertEquals(chosen(files, { current: { a: 20250104000000 } }).size, 0);
});

Deno.test("what has the SCN of what is loaded is a twin of it", () => {
  const files = [file(1), file(2), file(2, "2_9_5_linux_amd64.mjs"), file(3)];
  const [choice] = chosen(files, { current: { a: 20250102000000 } }).values();
  assertEquals(choice?.twins.map((each) => each.file), [files[1], files[2]]);
  assertEquals(choice?.candidates.map((each) => each.file), [file(3)]);
});

Deno.test("what lies below the initial SCN is neither candidate nor skip", () => {
  const files = [file(1), file(2)];
  assertEquals(candidates(files, { initialScn: 20250102000000 }), [file(2)]);
  assertEquals(skips(files, { initialScn: 20250102000000 }), []);
  assertEquals(chosen(files, { initialScn: 20250103000000 }).size, 0);
});

Deno.test("an artifact whose lock is there is not seen, for all of its targets", () => {
  const files = [
    file(2),
    file(2, "2_9_5_linux_amd64.mjs"),
    file(1),
    ".a_20250102000000.lock",
    ".b_20250101000000.lock",
  ];
  assertEquals(candidates(files), [file(1)]);
  assertEquals(skips(files), []);
});

Deno.test("an artifact without info file is bare", () => {
  const [choice] = chosen([file(2), file(1), file(1).replace(".mjs", ".pinf")]).values();
  assertEquals(choice?.candidates.map((each) => each.bare), [true, false]);
});

Deno.test("two artifacts of one stem are a conflict, unless an info file says which is meant", () => {
  const pair = [file(1), file(1, "2_9_5_any_any.mjs.gz")];
  assertEquals(candidates(pair), []);
  assertEquals(skips(pair), pair.map((each) => `${each}: conflict`));
  assertEquals(candidates([...pair, file(1).replace(".mjs", ".pinf")]), pair);
});

Deno.test("a module and an executable of one stem are a conflict too", () => {
  const pair = [file(1, "2_9_5_linux_amd64.mjs"), file(1, "2_9_5_linux_amd64")];
  assertEquals(candidates(pair), []);
  assertEquals(skips(pair), pair.map((each) => `${each}: conflict`));
});

Deno.test("names that differ only in case are a conflict, others are not", () => {
  const files = [
    file(1, "2_9_5_any_any.mjs", "Pricing"),
    file(2, "2_9_5_any_any.mjs", "pricing"),
    file(1, "2_9_5_any_any.mjs", "other"),
  ];
  assertEquals(candidates(files), [files[2]]);
  assertEquals(skips(files).sort(), [`${files[0]}: conflict`, `${files[1]}: conflict`]);
});

Deno.test("what this host's Deno is too old for is skipped once, with the remedy", () => {
  const files = [file(3, "2_10_0_any_any.mjs"), file(2)];
  const [choice] = chosen(files).values();
  assertEquals(choice?.candidates.map((each) => each.file), [file(2)]);
  assertEquals(choice?.skips.length, 1);
  const { refusal } = choice?.skips[0] ?? {};
  assertEquals(refusal?.code, "runtime");
  assert(refusal?.reason.includes("2.10") && refusal.reason.includes("upgrade"));
  assertEquals(skips(files, { current: { a: 20250103000000 } }), []);
});

Deno.test("another platform, the future and executables are skipped", () => {
  const files = [
    file(1, "2_9_5_darwin_arm64.mjs"),
    "a_20260101001001_2_9_5_any_any.mjs",
    file(2, "2_9_5_linux_amd64"),
  ];
  assertEquals(candidates(files), []);
  assertEquals(skips(files), [
    "a_20260101001001_2_9_5_any_any.mjs: future",
    `${files[2]}: unsupported`,
    `${files[0]}: platform`,
  ]);
  assertEquals(candidates(["a_20260101000959_2_9_5_any_any.mjs"]).length, 1);
});

Deno.test("the rule exact takes the same version and platform only", () => {
  const files = [file(1), file(2, "2_9_4_linux_amd64.mjs"), file(3, "2_9_5_linux_amd64.mjs")];
  assertEquals(candidates(files, { runtimeRule: "exact" }), [files[2]]);
});

Deno.test("what is no artifact's name is not seen", () => {
  const files = ["README.md", ".DS_Store", "a.mjs", "a_1_2_9_5_any_any.mjs", "", file(1) + ".tmp"];
  assertEquals(chosen(files).size, 0);
});

Deno.test("a plugin may have the name of something that every object has", () => {
  for (const name of ["constructor", "toString", "hasOwnProperty"]) {
    const own = file(1, "2_9_5_any_any.mjs", name);
    const choices = choose([{ directory: "/plugins", files: [own] }], {
      options: resolveManagerOptions({ runtime: HOST }),
      currentScn: () => undefined,
      now: NOW,
    });
    assertEquals(choices.get(name)?.candidates.map((each) => each.file), [own]);
  }
});

Deno.test("of ten thousand plugins each is chosen", () => {
  const files = Array.from(
    { length: 10_000 },
    (_, n) => file(1 + n % 28, "2_9_5_any_any.mjs", `p${n}`),
  );
  assertEquals(chosen(files).size, 10_000);
});
