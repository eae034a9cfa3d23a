import { assert, assertEquals } from "@std/assert";
import {
  intersectPermissions,
  type Os,
  PERMISSION_KINDS,
  type Permissions,
  permissionsBeyond,
} from "../artifact/mod.ts";
import { forAll, type Random } from "./random.ts";

type Pair = readonly [outer: string, inner: string];

function isWithin(kind: keyof Permissions, [outer, inner]: Pair, os: Os): boolean {
  const beyond = permissionsBeyond({ [kind]: [inner] }, { [kind]: [outer] }, os);
  const within = Object.keys(beyond).length === 0;
  assertEquals(beyond, within ? {} : { [kind]: [inner] });
  return within;
}

const PATHS_WITHIN: readonly Pair[] = [
  ["/srv", "/srv"],
  ["/srv", "/srv/"],
  ["/srv/", "/srv/data/x"],
  ["/srv/data", "/srv/./data//x"],
  ["/srv/data", "/srv/other/../data/x"],
  ["/", "/etc"],
  ["/", "/../etc"],
  [".", "a/b"],
  ["./a", "a/b"],
  ["..", "../a"],
  ["..", "a"],
  ["../..", "../a"],
  ["../a", "../a/b"],
];
const PATHS_BEYOND: readonly Pair[] = [
  ["/srv/data", "/srv"],
  ["/srv/data", "/srv/database"],
  ["/srv/data", "/srv/data/../other"],
  ["/srv/data", "/srv/data/../../etc"],
  ["/srv", "/SRV"],
  ["/srv", "srv"],
  ["srv", "/srv"],
  [".", "../a"],
  [".", ".."],
  ["..", "../.."],
  ["../a", "a"],
  ["a", "a/../b"],
  ["/srv/data", "/srv\\data"],
  ["C:\\data", "C:\\data\\x"],
];

Deno.test("a path is within another one by what it means on the host's system", () => {
  for (const kind of ["read", "write", "ffi"] as const) {
    for (const pair of PATHS_WITHIN) assert(isWithin(kind, pair, "linux"), pair.join(" > "));
    for (const pair of PATHS_BEYOND) assert(!isWithin(kind, pair, "linux"), pair.join(" > "));
  }
});

Deno.test("on Windows, both slashes part a path, and case makes no difference", () => {
  const within: readonly Pair[] = [
    ["C:\\Data", "c:/data/prices"],
    ["C:/", "c:\\Users"],
    ["data", "DATA\\x"],
    ["\\\\server\\share", "//SERVER/share/x"],
  ];
  const beyond: readonly Pair[] = [
    ["C:\\data", "D:\\data"],
    ["C:\\data", "C:\\data\\..\\Users"],
    ["C:\\data", "C:data"],
    ["C:data", "C:..\\data"],
    ["C:\\data", "\\data"],
    ["\\srv", "\\\\srv"],
    ["C:\\data", "C:\\data\\.. \\Users"],
    ["C:\\data", "C:\\data\\...\\Users"],
  ];
  for (const pair of within) assert(isWithin("read", pair, "windows"), pair.join(" > "));
  for (const pair of beyond) assert(!isWithin("read", pair, "windows"), pair.join(" > "));
});

Deno.test("a host is within another one by name and port, as Deno has it", async () => {
  const hosts = [
    "example.com",
    "example.com:443",
    "EXAMPLE.com",
    "example.com.",
    "a.example.com",
    "a.b.example.com:80",
    "notexample.com",
    "example.org",
    "127.0.0.1",
    "127.0.0.1:80",
    "[::1]",
    "[::1]:80",
  ];
  for (const outer of [...hosts, "*.example.com", "*.example.com:443"]) {
    const granted = await grantedHosts(outer, hosts);
    for (const inner of hosts) {
      const expected = granted.has(inner);
      assertEquals(isWithin("net", [outer, inner], "linux"), expected, `${outer} > ${inner}`);
    }
  }
  assert(isWithin("net", ["*.example.com", "*.a.example.com:80"], "linux"));
  assert(!isWithin("net", ["*.a.example.com", "*.example.com"], "linux"));
  assert(!isWithin("net", ["unix:/run/a", "unix:/run/b"], "linux"));
  assert(!isWithin("net", ["10.0.0.0/24", "10.0.0.5"], "linux"), "in doubt it is more");
});

/** Asks Deno itself. */
async function grantedHosts(flag: string, hosts: readonly string[]): Promise<Set<string>> {
  const source = `const granted = [];
    for (const host of ${JSON.stringify(hosts)}) {
      const { state } = await Deno.permissions.query({ name: "net", host });
      if (state === "granted") granted.push(host);
    }
    console.log(JSON.stringify(granted));`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `--allow-net=${flag}`, `data:text/javascript,${escape(source)}`],
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(text !== "", new TextDecoder().decode(stderr));
  return new Set(JSON.parse(text));
}

function escape(source: string): string {
  return encodeURIComponent(source);
}

Deno.test("variables, programs and system calls are compared by their exact text", () => {
  for (const kind of ["env", "run", "sys"] as const) {
    assert(isWithin(kind, ["HOME", "HOME"], "linux"));
    assert(!isWithin(kind, ["HOME", "home"], "linux"));
    assert(!isWithin(kind, ["AWS_*", "AWS_KEY"], "linux"));
    assert(!isWithin(kind, ["git", "git/sub"], "linux"));
  }
});

Deno.test("true is all of a kind, and a kind that is missing is none", () => {
  for (const kind of PERMISSION_KINDS) {
    const [all, some, none] = [{ [kind]: true }, { [kind]: ["x"] }, { [kind]: [] }] as const;
    assertEquals(permissionsBeyond(all, all, "linux"), {});
    assertEquals(permissionsBeyond(some, all, "linux"), {});
    assertEquals(permissionsBeyond(all, some, "linux"), all);
    assertEquals(permissionsBeyond(some, none, "linux"), some);
    assertEquals(permissionsBeyond(some, undefined, "linux"), some);
    assertEquals(permissionsBeyond(none, {}, "linux"), {});
    assertEquals(permissionsBeyond(undefined, some, "linux"), {});
    assertEquals(intersectPermissions(all, some, "linux"), some);
    assertEquals(intersectPermissions(some, all, "linux"), some);
    assertEquals(intersectPermissions(all, all, "linux"), all);
    assertEquals(intersectPermissions(all, {}, "linux"), {});
    assertEquals(intersectPermissions(undefined, all, "linux"), {});
  }
});

Deno.test("what is common to two hosts takes the narrower name and the narrower port", () => {
  const meet = (one: string, other: string): unknown =>
    intersectPermissions({ net: [one] }, { net: [other] }, "linux").net;
  assertEquals(meet("example.com", "*.example.com:443"), ["example.com:443"]);
  assertEquals(meet("*.example.com:443", "example.com"), ["example.com:443"]);
  assertEquals(meet("example.com:80", "example.com:443"), undefined);
  assertEquals(meet("example.com", "example.org"), undefined);
  assertEquals(meet("unix:/run/a", "unix:/run/a"), ["unix:/run/a"]);
});

const WORDS: Readonly<Record<"path" | "host" | "text", readonly string[]>> = {
  path: ["/", "/a", "/a/b", "/a/../b", ".", "..", "../a", "a/b", "/a/b/c/.."],
  host: ["a.b", "a.b:1", "*.b", "*.b:1", "c.a.b", "*.a.b:2", "[::1]", "unix:/a"],
  text: ["A", "B", "C"],
};

function anyPermissions(random: Random): Permissions {
  const list = (words: readonly string[]): true | string[] =>
    random.below(8) === 0
      ? true
      : Array.from({ length: random.below(4) }, () => random.pick(words));
  return { env: list(WORDS.text), net: list(WORDS.host), read: list(WORDS.path) };
}

Deno.test("what is common lies within both, and all of it is common that lies within both", () => {
  forAll(2_000, (random) => [anyPermissions(random), anyPermissions(random)] as const, ([a, b]) => {
    const common = intersectPermissions(a, b, "linux");
    assertEquals(permissionsBeyond(common, a, "linux"), {});
    assertEquals(permissionsBeyond(common, b, "linux"), {});
    if (Object.keys(permissionsBeyond(a, b, "linux")).length > 0) return;
    assertEquals(permissionsBeyond(a, common, "linux"), {});
  });
});

Deno.test("to lie within is transitive, so no chain of versions asks for more step by step", () => {
  const three = (random: Random) =>
    [anyPermissions(random), anyPermissions(random), anyPermissions(random)] as const;
  const none = (beyond: Permissions): boolean => Object.keys(beyond).length === 0;
  forAll(5_000, three, ([a, b, c]) => {
    if (!none(permissionsBeyond(b, a, "linux")) || !none(permissionsBeyond(c, b, "linux"))) return;
    assertEquals(permissionsBeyond(c, a, "linux"), {});
  });
});

Deno.test("nothing that is given is changed", () => {
  const asked = Object.freeze({ read: Object.freeze(["/b", "/a"]), net: true } as const);
  permissionsBeyond(asked, asked, "linux");
  intersectPermissions(asked, { read: ["/a"] }, "linux");
  assertEquals(asked, { read: ["/b", "/a"], net: true });
});
