import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  formatInfo,
  HotplugError,
  type InfoFile,
  MAX_INFO_BYTES,
  parseInfo,
  sha256,
} from "../artifact/mod.ts";
import { makeRandom } from "./random.ts";

const STEM = "pricing_20261123014512_2_9_5_any_any";

const FULL: InfoFile = {
  format: 1,
  name: "pricing",
  scn: 20261123014512,
  mode: "module",
  runtime: { version: "2.9.5", os: "any", arch: "any" },
  artifact: {
    file: `${STEM}.mjs.gz`,
    size: 812,
    sha256: sha256("packed"),
    compression: "gzip",
  },
  content: { size: 2110, sha256: sha256("content") },
  sourceMap: { file: `${STEM}.mjs.map`, sha256: sha256("map") },
  exports: ["default", "quote"],
  hooks: ["activate"],
  imports: ["node:crypto", "node:fs"],
  optional: ["bufferutil"],
  requires: { contract: "pricing/2" },
  permissions: { env: true, net: ["api.example.com:443"], read: [] },
  source: { sha256: sha256("source") },
  builtAt: "2026-11-23T01:45:12.402Z",
  builtWith: "hotplug/0.1.0 deno/2.9.5",
  attestation: {
    payloadType: "application/vnd.in-toto+json",
    payload: "e30=",
    signatures: [{ keyid: "k1", sig: "AAAA" }],
  },
};

const { sourceMap: _1, requires: _2, permissions: _3, attestation: _4, ...BARE } = FULL;
const PLAIN: InfoFile = {
  ...BARE,
  artifact: { file: `${STEM}.mjs`, ...FULL.content, compression: "none" },
};

type Json = Record<string, unknown>;

/** The full info file with one field, named by its path, set to a value or removed. */
function changed(path: string, value: unknown): Json {
  const copy: Json = structuredClone(FULL) as unknown as Json;
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const parent = keys.reduce((at, key) => at[key] as Json, copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

function refusal(value: unknown): string {
  const error = assertThrows(() => parseInfo(JSON.stringify(value)), HotplugError);
  assertEquals(error.code, "info");
  return error.message;
}

Deno.test("an info file is the same after writing and reading it", () => {
  for (const info of [FULL, PLAIN, { ...PLAIN, optional: [] }]) {
    const text = formatInfo(info);
    assertEquals(parseInfo(text).info, info);
    assertEquals(parseInfo(new TextEncoder().encode(text)).info, info);
    assertEquals(formatInfo(parseInfo(text).info), text);
  }
});

Deno.test("the canonical writing has the order of DESIGN, two spaces and one line feed", () => {
  const text = formatInfo(FULL);
  assert(text.startsWith(`{\n  "format": 1,\n  "name": "pricing",\n  "scn": 20261123014512,\n`));
  assert(text.endsWith("}\n") && !text.endsWith("\n\n"));
  assertEquals(Object.keys(JSON.parse(text)), Object.keys(FULL));
  assertEquals(Object.keys(JSON.parse(formatInfo(PLAIN))), Object.keys(PLAIN));
});

Deno.test("the order of fields, list items and repetitions makes no difference to the bytes", () => {
  const random = makeRandom();
  const shuffle = (value: unknown): unknown => {
    if (Array.isArray(value)) return value;
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, each]) => [key, shuffle(each)] as const);
    const weights = new Map(entries.map((entry) => [entry, random.below(1e9)]));
    entries.sort((a, b) => (weights.get(a) ?? 0) - (weights.get(b) ?? 0));
    return Object.fromEntries(entries);
  };
  for (let at = 0; at < 50; at++) {
    assertEquals(formatInfo(shuffle(FULL) as InfoFile), formatInfo(FULL), `seed ${random.seed}`);
  }
  const messy = {
    ...FULL,
    exports: ["quote", "default", "quote"],
    imports: ["node:fs", "node:crypto", "node:fs"],
  };
  assertEquals(formatInfo(messy), formatInfo(FULL));
  assertEquals(messy.exports, ["quote", "default", "quote"]);
});

Deno.test("optional fields that are undefined are left out", () => {
  const text = formatInfo({ ...PLAIN, sourceMap: undefined, permissions: undefined });
  assertEquals(text, formatInfo(PLAIN));
});

Deno.test("unknown fields are ignored in info and kept in raw", () => {
  const text = JSON.stringify({
    ...FULL,
    later: { deep: [1] },
    runtime: { ...FULL.runtime, v8: "14.2" },
  });
  const { info, raw } = parseInfo(text);
  assertEquals(info, FULL);
  assertEquals(raw["later"], { deep: [1] });
  assertEquals(raw["runtime"], { ...FULL.runtime, v8: "14.2" });
});

const REQUIRED = [
  "format",
  "name",
  "scn",
  "mode",
  "runtime",
  "runtime.version",
  "runtime.os",
  "runtime.arch",
  "artifact",
  "artifact.file",
  "artifact.size",
  "artifact.sha256",
  "artifact.compression",
  "content",
  "content.size",
  "content.sha256",
  "sourceMap.file",
  "sourceMap.sha256",
  "exports",
  "hooks",
  "imports",
  "optional",
  "source",
  "source.sha256",
  "builtAt",
  "builtWith",
  "attestation.payloadType",
  "attestation.payload",
  "attestation.signatures",
];
const LISTS = ["exports", "hooks", "imports", "optional", "attestation.signatures"];
const OPTIONAL = ["sourceMap", "requires", "requires.contract", "permissions", "attestation"];

for (const field of REQUIRED) {
  Deno.test(`an info file without ${field} is refused, and the message names it`, () => {
    const message = refusal(changed(field, undefined));
    assert(message.includes(`the field "${field}" is missing`), message);
  });
}

for (const field of OPTIONAL) {
  Deno.test(`an info file without ${field} is fine`, () => {
    parseInfo(JSON.stringify(changed(field, undefined)));
  });
}

for (const field of [...REQUIRED, ...OPTIONAL]) {
  Deno.test(`a wrong type in ${field} is refused, and the message names it`, () => {
    for (const value of [null, -1, 1.5, "", "\0", true, [], [1], [null], ["", "a"]]) {
      // An empty list is a list all right.
      if (Array.isArray(value) && value.length === 0 && LISTS.includes(field)) continue;
      // A text of one character is a text; that it makes sense is not for the reader to say.
      if (value === "\0" && /^builtWith$|contract$|payload/.test(field)) continue;
      const message = refusal(changed(field, value));
      assert(message.includes(`"${field}`), `${JSON.stringify(value)}: ${message}`);
      assert(message.length < 400, message);
    }
  });
}

const WRONG: readonly (readonly [field: string, value: unknown, named?: string])[] = [
  ["name", "../pricing"],
  ["name", "other", "artifact.file"],
  ["scn", 20261323014512],
  ["scn", "20261123014512"],
  ["scn", 20261123014513, "artifact.file"],
  ["mode", "library"],
  ["mode", "executable", "runtime"],
  ["runtime.version", "2.9"],
  ["runtime.version", "2.9.5+abc"],
  ["runtime.version", "2.9.6", "artifact.file"],
  ["runtime.os", "macos"],
  ["runtime.os", "linux", "runtime"],
  ["artifact.file", `../${STEM}.mjs.gz`],
  ["artifact.file", `${STEM}.mjs`],
  ["artifact.size", 2 ** 53],
  ["artifact.size", "812"],
  ["artifact.size", -0.5],
  ["artifact.sha256", sha256("packed").toUpperCase()],
  ["artifact.sha256", sha256("packed").slice(1)],
  ["artifact.sha256", `${sha256("packed")}\n`],
  ["artifact.compression", "none", "artifact.file"],
  ["artifact.compression", "zstd"],
  ["sourceMap.file", `../${STEM}.mjs.map`],
  ["sourceMap.file", "/etc/passwd"],
  ["sourceMap.file", "plugin.mjs.map"],
  ["exports", ["quote", "activate"]],
  ["permissions", { net: "api.example.com" }, "permissions.net"],
  ["permissions", { net: false }, "permissions.net"],
  ["permissions", { net: [443] }, "permissions.net"],
  ["permissions", { read: ["/srv/data,/etc"] }, "permissions.read"],
  ["permissions", { read: ["/srv\n/etc"] }, "permissions.read"],
  ["builtAt", "2026-11-23"],
  ["builtAt", "2026-11-23T01:45:12Z"],
  ["builtAt", "2026-13-23T01:45:12.402Z"],
  ["attestation.signatures", [{ keyid: "k1" }], "attestation.signatures.0.sig"],
];

Deno.test("a value out of its range, or against another field, is refused by name", () => {
  for (const [field, value, named = field] of WRONG) {
    const message = refusal(changed(field, value));
    assert(
      message.includes(`the field "${named}`),
      `${field} ${JSON.stringify(value)}: ${message}`,
    );
  }
});

Deno.test("a file that isn't packed has the size and digest of its content", () => {
  const other = { ...PLAIN, content: { ...PLAIN.content, size: 1 } };
  assert(refusal(other).includes("content.size"));
  const another = { ...PLAIN, content: { ...PLAIN.content, sha256: sha256("other") } };
  assert(refusal(another).includes("content.sha256"));
});

Deno.test("an executable's content is the module compiled into it, packed or not", () => {
  const executable: InfoFile = {
    ...PLAIN,
    mode: "executable",
    runtime: { version: "2.9.5", os: "linux", arch: "amd64" },
    artifact: {
      file: "pricing_20261123014512_2_9_5_linux_amd64",
      size: PLAIN.content.size + 85_000_000,
      sha256: sha256("the program"),
      compression: "none",
    },
  };
  assertEquals(parseInfo(formatInfo(executable)).info.content, PLAIN.content);
});

Deno.test("an executable is for one platform and has no source map", () => {
  const stem = "pricing_20261123014512_2_9_5_windows_amd64";
  const executable: InfoFile = {
    ...PLAIN,
    mode: "executable",
    runtime: { version: "2.9.5", os: "windows", arch: "amd64" },
    artifact: { ...PLAIN.artifact, file: `${stem}.exe` },
  };
  assertEquals(parseInfo(formatInfo(executable)).info, executable);
  const map = { file: `${stem}.mjs.map`, sha256: sha256("map") };
  assert(refusal({ ...executable, sourceMap: map }).includes(`"sourceMap"`));
});

Deno.test("a format of later years is refused with the advice to upgrade hotplug", () => {
  for (const format of [2, 1.5, 99]) {
    const message = refusal({ format, everything: "else" });
    assert(message.includes(`the field "format" is ${format}`), message);
    assert(message.includes("upgrade hotplug"), message);
  }
  for (const format of [0, -1, "1", null, "2"]) {
    assert(refusal({ ...FULL, format }).includes(`the field "format" must be 1`));
  }
});

Deno.test("what is no JSON object is refused", () => {
  for (const text of ["", "{", "nothing", `{"format":1}x`, "\ufeff\ufeff{}", "\0"]) {
    assertEquals(assertThrows(() => parseInfo(text), HotplugError, "no JSON").code, "info");
  }
  for (const value of [null, 1, "text", true, [], [FULL]]) {
    assert(refusal(value).includes("JSON object"));
  }
  const bytes = new TextEncoder().encode(formatInfo(FULL).replace("hotplug/", "\0otplug/"));
  const broken = bytes.map((byte) => byte === 0 ? 0xff : byte);
  assertThrows(() => parseInfo(broken), HotplugError, "no JSON");
});

Deno.test("a text over 1 MiB, or nested without end, is refused fast", () => {
  const started = performance.now();
  const padded = `${" ".repeat(MAX_INFO_BYTES)}${formatInfo(FULL)}`;
  assertThrows(() => parseInfo(padded), HotplugError, "larger than 1048576 bytes");
  const bytes = new TextEncoder().encode(padded);
  assertThrows(() => parseInfo(bytes), HotplugError, "larger than 1048576 bytes");
  const deep = "[".repeat(MAX_INFO_BYTES / 2) + "]".repeat(MAX_INFO_BYTES / 2);
  assertThrows(() => parseInfo(deep), HotplugError);
  assertThrows(() => parseInfo(`{"format":1,"later":${deep.slice(100, -100)}}`), HotplugError);
  assertThrows(
    () => formatInfo({ ...PLAIN, exports: ["x".repeat(MAX_INFO_BYTES)] }),
    HotplugError,
    "larger than 1048576 bytes",
  );
  assert(performance.now() - started < 5_000);
});

Deno.test("keys that aim at prototypes are harmless, wherever they stand", () => {
  const text = formatInfo(FULL).replace("{", `{"__proto__":{"polluted":1},"constructor":{"a":1},`)
    .replace(`"runtime": {`, `"runtime": {"\\u005f_proto__":{"os":"linux"},`)
    .replace(`"permissions": {`, `"permissions": {"__proto__":{"run":true},`);
  const { info, raw } = parseInfo(text);
  assertEquals(info, FULL);
  assertEquals(Object.hasOwn(raw, "__proto__"), false);
  assertEquals(Object.getPrototypeOf(raw), Object.prototype);
  assertEquals(Object.getPrototypeOf({ ...raw }), Object.prototype);
  assertEquals(({} as Json)["polluted"], undefined);
  assertEquals(info.permissions?.run, undefined);
});

Deno.test("what is not valid is not written either", () => {
  for (const [field, value] of WRONG) {
    const info = changed(field, value) as unknown as InfoFile;
    assertEquals(assertThrows(() => formatInfo(info), HotplugError, "Cannot write").code, "info");
  }
  assertThrows(
    () => formatInfo({ ...FULL, hooks: ["activate", "explode"] }),
    HotplugError,
    "hooks",
  );
});

Deno.test("hooks of a later hotplug are read", () => {
  assertEquals(parseInfo(JSON.stringify({ ...FULL, hooks: ["thaw"] })).info.hooks, ["thaw"]);
});

Deno.test("other content gives other bytes", () => {
  const other = { ...FULL, content: { size: 1, sha256: sha256("other") } };
  assertNotEquals(formatInfo(other), formatInfo(FULL));
});
