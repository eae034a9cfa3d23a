import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type ArtifactName,
  ArtifactNameError,
  type ArtifactNamePart,
  artifactStem,
  formatArtifactName,
  infoFileName,
  isPluginName,
  lockFileName,
  parseArtifactName,
  parseInfoFileName,
  parseLockFileName,
  sourceMapFileName,
  TARGETS,
  tryParseArtifactName,
  tryParseInfoFileName,
} from "../artifact/mod.ts";
import { forAll, type Random } from "./random.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS = "0123456789";
const HARD_NAMES = [
  "a",
  "a_",
  "a__b",
  "x_20261123014512_2_9_5_linux_amd64",
  "x_20261123014512_2_9_5_linux_amd64.mjs",
  "x.mjs.gz",
  "x.exe",
  "x.pinf",
  "any_any",
  "constructor",
  "cone",
  "com10",
  "a.con",
  `n${"_".repeat(63)}`,
  `${"n".repeat(63)}9`,
];

function randomName(random: Random): string {
  if (random.below(5) === 0) return random.pick(HARD_NAMES);
  for (;;) {
    const rest = random.text(`${LETTERS}${DIGITS}____....--`, random.below(64));
    const name = random.pick(LETTERS) + rest;
    if (isPluginName(name)) return name;
  }
}

function randomVersion(random: Random): string {
  const number = () => String(random.below(random.pick([2, 12, 1_000_000_000])));
  const word = () => random.pick(LETTERS) + random.text(`${LETTERS}${DIGITS}-`, random.below(4));
  const tag = Array.from({ length: random.below(4) }, () => random.pick([number, word])());
  const pre = tag.length === 0 ? "" : `-${tag.join(".")}`;
  return `${number()}.${number()}.${number()}${pre}`;
}

function randomArtifact(random: Random): ArtifactName {
  const mode = random.pick(["module", "executable"] as const);
  const any = { os: "any", arch: "any" } as const;
  const day = (random.below(9000) + 1000) * 10_000 + (random.below(12) + 1) * 100 +
    random.below(28) + 1;
  const time = random.below(24) * 10_000 + random.below(60) * 100 + random.below(60);
  return {
    name: randomName(random),
    scn: day * 1_000_000 + time,
    version: randomVersion(random),
    ...random.pick(mode === "module" ? [...TARGETS, any] : TARGETS),
    mode,
    compression: random.pick(["none", "gzip"] as const),
  };
}

Deno.test("parsing what was formatted gives the same artifact, and the same file name", () => {
  forAll(10_000, randomArtifact, (artifact) => {
    const file = formatArtifactName(artifact);
    assert(file.length <= 160, `${file.length} characters`);
    assertEquals(parseArtifactName(file), artifact);
    assertEquals(tryParseArtifactName(file), artifact);
    assertEquals(formatArtifactName(parseArtifactName(file)), file);
  });
});

Deno.test("info file, source map and lock go by the artifact's stem", () => {
  forAll(2_000, randomArtifact, (artifact) => {
    const { mode: _mode, compression: _compression, ...stem } = artifact;
    const text = artifactStem(artifact);
    assert(formatArtifactName(artifact).startsWith(text));
    assertEquals(infoFileName(artifact), `${text}.pinf`);
    assertEquals(sourceMapFileName(artifact), `${text}.mjs.map`);
    assertEquals(parseInfoFileName(infoFileName(artifact)), stem);
    assertEquals(tryParseInfoFileName(infoFileName(artifact)), stem);
    const { name, scn } = artifact;
    assertEquals(parseLockFileName(lockFileName(name, scn)), { name, scn });
    for (const other of [infoFileName(artifact), sourceMapFileName(artifact)]) {
      assertEquals(tryParseArtifactName(other), undefined);
    }
    assertEquals(tryParseInfoFileName(formatArtifactName(artifact)), undefined);
  });
});

Deno.test("a text is read only if formatting it gives the same text again", () => {
  const pieces = ["_", ".", "-", "0", "1", "a", "Z", "any", "exe", "gz", "mjs", "rc", "\0", "é"];
  forAll(10_000, (random) => {
    const file = formatArtifactName(randomArtifact(random));
    const at = random.below(file.length + 1);
    return file.slice(0, at) + random.pick(pieces) + file.slice(at + random.below(3));
  }, (file) => {
    const artifact = tryParseArtifactName(file);
    if (artifact !== undefined) assertEquals(formatArtifactName(artifact), file);
    else assertThrows(() => parseArtifactName(file), ArtifactNameError);
  });
});

const S = "_20261123014512_2_9_5_any_any.mjs";
const HOSTILE: readonly (readonly [part: ArtifactNamePart, file: string])[] = [
  ["shape", ""],
  ["shape", "."],
  ["shape", ".."],
  ["shape", "_"],
  ["shape", "pricing"],
  ["shape", "pricing.mjs"],
  ["shape", "20261123014512_2_9_5_any_any.mjs"],
  ["shape", "pricing-20261123014512-2-9-5-any-any.mjs"],
  ["shape", "pricing＿20261123014512＿2＿9＿5＿any＿any.mjs"],
  ["shape", `/pricing${S}`],
  ["shape", `../pricing${S}`],
  ["shape", `a/../pricing${S}`],
  ["shape", `..\\pricing${S}`],
  ["shape", `C:\\pricing${S}`],
  ["shape", `pricing${S}/`],
  ["shape", `pricing${S}/../../etc/passwd`],
  ["shape", `file:///pricing${S}`],
  ["length", "a".repeat(10_000)],
  ["length", "_".repeat(10_000)],
  ["length", `${"a".repeat(10_000)}${S}`],
  ["length", `pricing_20261123014512_2_9_5-${"a".repeat(10_000)}_any_any.mjs`],
  ["length", "\0".repeat(10_000)],
  ["name", S],
  ["name", `_pricing${S}`],
  ["name", `.pricing${S}`],
  ["name", `-pricing${S}`],
  ["name", `1pricing${S}`],
  ["name", `..${S}`],
  ["name", `a..b${S}`],
  ["name", `pricing.${S}`],
  ["name", `pricing-${S}`],
  ["name", `pri cing${S}`],
  ["name", ` pricing${S}`],
  ["name", `pricing\0${S}`],
  ["name", `pricing\n${S}`],
  ["name", `pricing:stream${S}`],
  ["name", `pricing%2e%2e${S}`],
  ["name", `prіcing${S}`],
  ["name", `ｐricing${S}`],
  ["name", `pricing\u200b${S}`],
  ["name", `\u202egnicirp${S}`],
  ["name", `__proto__${S}`],
  ["name", `$HOME${S}`],
  ["name", `pricing;rm${S}`],
  ["name", `${"a".repeat(65)}${S}`],
  ["name", `con${S}`],
  ["name", `CON.x${S}`],
  ["name", `nul${S}`],
  ["name", `Aux${S}`],
  ["name", `prn.${"x".repeat(9)}${S}`],
  ["name", `com1${S}`],
  ["name", `LPT9.eu${S}`],
  ["scn", "my_pricing_2_9_5_any_any.mjs"],
  ["scn", "pricing__2_9_5_any_any.mjs"],
  ["scn", "pricing_20261123014512123456_2_9_5_any_any.mjs"],
  ["scn", "pricing_2026112301451_2_9_5_any_any.mjs"],
  ["scn", "pricing_020261123014512_2_9_5_any_any.mjs"],
  ["scn", "pricing_00261123014512_2_9_5_any_any.mjs"],
  ["scn", "pricing_20261323014512_2_9_5_any_any.mjs"],
  ["scn", "pricing_20260023014512_2_9_5_any_any.mjs"],
  ["scn", "pricing_20260230014512_2_9_5_any_any.mjs"],
  ["scn", "pricing_20250229014512_2_9_5_any_any.mjs"],
  ["scn", "pricing_20261123244512_2_9_5_any_any.mjs"],
  ["scn", "pricing_20261123016012_2_9_5_any_any.mjs"],
  ["scn", "pricing_20261123014560_2_9_5_any_any.mjs"],
  ["scn", "pricing_-2026112301451_2_9_5_any_any.mjs"],
  ["scn", "pricing_2026112301451x_2_9_5_any_any.mjs"],
  ["scn", "pricing_２０２６１１２３０１４５１２_2_9_5_any_any.mjs"],
  ["scn", "pricing_20261123014512\0_2_9_5_any_any.mjs"],
  ["version", "pricing_20261123014512_02_9_5_any_any.mjs"],
  ["version", "pricing_20261123014512_2_09_5_any_any.mjs"],
  ["version", "pricing_20261123014512_2_9_05_any_any.mjs"],
  ["version", "pricing_20261123014512_2_9__any_any.mjs"],
  ["version", "pricing_20261123014512_v2_9_5_any_any.mjs"],
  ["version", "pricing_20261123014512_2_9_5+abc_any_any.mjs"],
  ["version", "pricing_20261123014512_2_10_0-rc.1+abc_any_any.mjs"],
  ["version", "pricing_20261123014512_2_9_5-_any_any.mjs"],
  ["version", "pricing_20261123014512_2_9_5-rc.01_any_any.mjs"],
  ["version", "pricing_20261123014512_2_9_5-rc..1_any_any.mjs"],
  ["version", "pricing_20261123014512_2_9-rc.1_5_any_any.mjs"],
  ["version", "pricing_20261123014512_2.9_9_5_any_any.mjs"],
  ["version", "pricing_20261123014512_2_9_1000000000_any_any.mjs"],
  ["os", "pricing_20261123014512_2_9_5__amd64.mjs"],
  ["os", "pricing_20261123014512_2_9_5_Linux_amd64.mjs"],
  ["os", "pricing_20261123014512_2_9_5_macos_arm64.mjs"],
  ["os", "pricing_20261123014512_2_9_5_lіnux_amd64.mjs"],
  ["os", "pricing_20261123014512_2_9_5_amd64_linux.mjs"],
  ["arch", "pricing_20261123014512_2_9_5_linux_.mjs"],
  ["arch", "pricing_20261123014512_2_9_5_linux_x64.mjs"],
  ["arch", "pricing_20261123014512_2_9_5_linux_AMD64.mjs"],
  ["arch", "pricing_20261123014512_2_9_5_linux_amd64\0.mjs"],
  ["arch", "pricing_20261123014512_2_9_5_linux_amd64 (1).mjs"],
  ["arch", "pricing_20261123014512_2_9_5_linux_amd64~"],
  ["target", "pricing_20261123014512_2_9_5_any_amd64.mjs"],
  ["target", "pricing_20261123014512_2_9_5_linux_any.mjs"],
  ["target", "pricing_20261123014512_2_9_5_any_any"],
  ["target", "pricing_20261123014512_2_9_5_any_any.gz"],
  ["target", "pricing_20261123014512_2_9_5_any_any.exe"],
  ["extension", "pricing_20261123014512_2_9_5_windows_amd64"],
  ["extension", "pricing_20261123014512_2_9_5_windows_arm64.gz"],
  ["extension", "pricing_20261123014512_2_9_5_linux_amd64.exe"],
  ["extension", "pricing_20261123014512_2_9_5_darwin_arm64.exe.gz"],
  ["extension", "pricing_20261123014512_2_9_5_any_any.js"],
  ["extension", "pricing_20261123014512_2_9_5_any_any.MJS"],
  ["extension", "pricing_20261123014512_2_9_5_any_any.mjs.GZ"],
  ["extension", "pricing_20261123014512_2_9_5_any_any.mjs.gz.gz"],
  ["extension", "pricing_20261123014512_2_9_5_any_any.gz.mjs"],
  ["extension", "pricing_20261123014512_2_9_5_any_any.mjs.map"],
  ["extension", "pricing_20261123014512_2_9_5_any_any.pinf"],
  ["extension", "pricing_20261123014512_2_9_5_any_any.mjs.tmp"],
  ["extension", "pricing_20261123014512_2_9_5_any_any..mjs"],
  ["extension", "pricing_20261123014512_2_9_5_any_any."],
  ["extension", "pricing_20261123014512_2_9_5_any_any.mjs "],
  ["extension", "pricing_20261123014512_2_9_5_any_any.mjs\0"],
  ["extension", "pricing_20261123014512_2_9_5_any_any.mjs\0.gz"],
  ["extension", "pricing_20261123014512_2_9_5_any_any.mjs?scn=1"],
  ["extension", "pricing_20261123014512_2_9_5_any_any.mjs:stream"],
];

Deno.test(`${HOSTILE.length} hostile names are refused, and the error says which part is wrong`, () => {
  for (const [part, file] of HOSTILE) {
    const error = assertThrows(() => parseArtifactName(file), ArtifactNameError);
    assertEquals([file, error.part], [file, part]);
    assertEquals([error.code, error.name, error.input], ["name", "ArtifactNameError", file]);
    assertEquals(tryParseArtifactName(file), undefined);
    assert(/^[\x20-\x7e]{20,600}$/.test(error.message), JSON.stringify(error.message));
  }
});

Deno.test("an info file's name is refused as an artifact's is, by part", () => {
  const wrong: [ArtifactNamePart, string][] = [
    ["extension", "pricing_20261123014512_2_9_5_any_any.mjs"],
    ["extension", "pricing_20261123014512_2_9_5_any_any"],
    ["extension", "pricing_20261123014512_2_9_5_any_any.PINF"],
    ["shape", ".pinf"],
    ["shape", "../pricing_20261123014512_2_9_5_any_any.pinf"],
    ["arch", "pricing_20261123014512_2_9_5_any_any.mjs.pinf"],
    ["target", "pricing_20261123014512_2_9_5_linux_any.pinf"],
    ["scn", "pricing_20261323014512_2_9_5_any_any.pinf"],
    ["name", "..x_20261123014512_2_9_5_any_any.pinf"],
    ["length", `${"a".repeat(10_000)}.pinf`],
  ];
  for (const [part, file] of wrong) {
    const error = assertThrows(() => parseInfoFileName(file), ArtifactNameError);
    assertEquals([file, error.part], [file, part]);
    assertEquals(tryParseInfoFileName(file), undefined);
  }
});

Deno.test("what is no lock's name is not read as one", () => {
  const wrong = [
    "",
    ".lock",
    "pricing_20261123014512.lock",
    ".pricing_20261123014512",
    ".pricing_20261323014512.lock",
    "._20261123014512.lock",
    ".../x_20261123014512.lock",
    ".con_20261123014512.lock",
    ".pricing_20261123014512.lock\n",
    `.${"a".repeat(10_000)}_20261123014512.lock`,
  ];
  for (const file of wrong) assertEquals([file, parseLockFileName(file)], [file, undefined]);
  assertThrows(() => lockFileName("../x", 20261123014512), ArtifactNameError);
});

Deno.test("formatting refuses what can't be parsed again, and says which part", () => {
  const good: ArtifactName = {
    name: "pricing",
    scn: 20261123014512,
    version: "2.9.5",
    os: "linux",
    arch: "amd64",
    mode: "module",
    compression: "none",
  };
  const wrong: [ArtifactNamePart, Record<string, unknown>][] = [
    ["name", { name: "../pricing" }],
    ["name", { name: "" }],
    ["name", { name: undefined }],
    ["name", { name: "nul" }],
    ["scn", { scn: 20261323014512 }],
    ["scn", { scn: "20261123014512" }],
    ["scn", { scn: NaN }],
    ["version", { version: "2.9" }],
    ["version", { version: "2.9.5-rc_1" }],
    ["version", { version: undefined }],
    ["os", { os: "macos" }],
    ["arch", { arch: "x64" }],
    ["target", { os: "any" }],
    ["target", { os: "any", arch: "any", mode: "executable" }],
    ["extension", { mode: "library" }],
    ["extension", { compression: "zstd" }],
  ];
  for (const [part, change] of wrong) {
    const artifact = { ...good, ...change } as ArtifactName;
    const error = assertThrows(() => formatArtifactName(artifact), ArtifactNameError);
    assertEquals([change, error.part], [change, part]);
  }
});

Deno.test("formatting drops build metadata and keeps the pre-release tag", () => {
  const name = parseArtifactName("pricing_20261123014512_2_10_0-rc.1_any_any.mjs");
  assertEquals(name.version, "2.10.0-rc.1");
  const file = formatArtifactName({ ...name, version: "2.10.0-rc.1+5e1a" });
  assertEquals(file, "pricing_20261123014512_2_10_0-rc.1_any_any.mjs");
});
