import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  checkRuntime,
  hostRuntime,
  hostTarget,
  HotplugError,
  type Mode,
  parseTarget,
  parseVersion,
  type Runtime,
  type RuntimeRule,
} from "../artifact/mod.ts";

function runtime(text: string): Runtime {
  const [version = "", target = ""] = text.split(" ");
  return { version, ...parseTarget(target) };
}

type Row = [artifact: string, host: string, rule: RuntimeRule, mode: Mode, answer: string];

const TABLE: Row[] = [
  ["2.9.5 any", "2.9.5 linux/amd64", "compatible", "module", "fits"],
  ["2.9.5 linux/amd64", "2.9.5 linux/amd64", "compatible", "module", "fits"],
  ["2.9.9 any", "2.9.5 linux/amd64", "compatible", "module", "fits"],
  ["2.0.0 any", "2.9.5 windows/arm64", "compatible", "module", "fits"],
  ["2.10.0 any", "2.9.5 linux/amd64", "compatible", "module", "runtime"],
  ["2.9.5 any", "2.10.0 linux/amd64", "compatible", "module", "fits"],
  ["2.10.0-rc.1 any", "2.10.0 linux/amd64", "compatible", "module", "fits"],
  ["2.10.0-rc.1 any", "2.9.5 linux/amd64", "compatible", "module", "runtime"],
  ["3.0.0 any", "2.9.5 linux/amd64", "compatible", "module", "runtime"],
  ["1.46.3 any", "2.9.5 linux/amd64", "compatible", "module", "runtime"],
  ["2.9.5 linux/arm64", "2.9.5 linux/amd64", "compatible", "module", "platform"],
  ["2.9.5 darwin/amd64", "2.9.5 linux/amd64", "compatible", "module", "platform"],
  ["3.0.0 darwin/amd64", "2.9.5 linux/amd64", "compatible", "module", "platform"],
  ["2.9.5 linux/amd64", "2.9.5 linux/amd64", "exact", "module", "fits"],
  ["2.9.4 linux/amd64", "2.9.5 linux/amd64", "exact", "module", "runtime"],
  ["2.9.5-rc.1 linux/amd64", "2.9.5 linux/amd64", "exact", "module", "runtime"],
  ["2.9.5+abc linux/amd64", "2.9.5 linux/amd64", "exact", "module", "fits"],
  ["2.9.5 any", "2.9.5 linux/amd64", "exact", "module", "platform"],
  ["2.9.5 linux/arm64", "2.9.5 linux/amd64", "exact", "module", "platform"],
  ["3.1.0 linux/amd64", "2.9.5 linux/amd64", "compatible", "executable", "fits"],
  ["1.0.0 linux/amd64", "2.9.5 linux/amd64", "exact", "executable", "fits"],
  ["2.9.5 linux/arm64", "2.9.5 linux/amd64", "compatible", "executable", "platform"],
];

for (const [artifact, host, rule, mode, answer] of TABLE) {
  Deno.test(`${mode} for ${artifact} on ${host}, rule ${rule}: ${answer}`, () => {
    const refusal = checkRuntime(runtime(artifact), runtime(host), { rule, mode });
    assertEquals(refusal?.code ?? "fits", answer);
  });
}

Deno.test("a refusal says what is needed, what is there, and what to do", () => {
  const host = runtime("2.9.5 linux/amd64");
  assertEquals(
    checkRuntime(runtime("2.10.3 any"), host)?.reason,
    "needs Deno 2.10 or newer (same major), this host runs 2.9.5: " +
      "upgrade this host's Deno, or build it with 2.9 or older",
  );
  assertEquals(
    checkRuntime(runtime("1.46.0 any"), host)?.reason,
    "needs Deno 1.46 or newer (same major), this host runs 2.9.5: build it anew with 2.9.5",
  );
  assertEquals(
    checkRuntime(runtime("2.9.5 darwin/arm64"), host)?.reason,
    "is built for darwin/arm64, this host is linux/amd64: build it for linux/amd64 too",
  );
  assertMatch(checkRuntime(runtime("2.9.5 any"), host, { rule: "exact" })?.reason ?? "", /exact/);
});

Deno.test("what is no runtime is refused rather than compared", () => {
  const host = runtime("2.9.5 linux/amd64");
  const version = { ...host, version: "newest" };
  assertEquals(assertThrows(() => checkRuntime(version, host), HotplugError).code, "version");
  const mixed: Runtime = { ...host, os: "any" };
  assertEquals(assertThrows(() => checkRuntime(mixed, host), HotplugError).code, "target");
});

Deno.test("the host's runtime is this Deno, without build metadata", () => {
  const { version, os, arch } = hostRuntime();
  assertEquals({ os, arch }, { ...hostTarget() });
  assert(Deno.version.deno.startsWith(version));
  assertEquals(parseVersion(version), parseVersion(Deno.version.deno));
});

Deno.test({
  name: "the host's runtime takes no permission",
  permissions: "none",
  fn: () => assertEquals(checkRuntime(hostRuntime(), hostRuntime(), { rule: "exact" }), undefined),
});
