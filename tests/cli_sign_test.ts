import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { generateKeyPair } from "../artifact/mod.ts";
import { hotplug } from "./_cli.ts";
import { type TempDirectory, tempDirectory } from "./_temp.ts";

const POSIX = Deno.build.os !== "windows";

/** A folder with a pair of keys in it, and an artifact that is signed with them. */
async function signedFixture(): Promise<
  TempDirectory & { artifact: string; info: string; key: string; id: string }
> {
  const directory = await tempDirectory();
  const key = directory.file("release.key");
  const made = await hotplug("keygen", "--out", key, "--json");
  assertEquals(made.code, 0, made.stderr);
  await Deno.writeTextFile(directory.file("tax.ts"), "export const rate = () => 0.2;");
  const built = await hotplug(
    ...["build", directory.file("tax.ts"), "--dest", directory.file("plugins"), "--no-check"],
    ...["--sign", key, "--gzip", "--json"],
  );
  assertEquals(built.code, 0, built.stderr);
  const { path, infoPath, signedBy } = JSON.parse(built.stdout);
  const { id } = JSON.parse(made.stdout);
  assertEquals(signedBy, [id]);
  return { ...directory, artifact: path, info: infoPath, key, id };
}

Deno.test("hotplug keygen makes two files, the private one for its owner alone", async () => {
  await using directory = await tempDirectory();
  const key = directory.file("a.key");
  const { code, stdout } = await hotplug("keygen", "--out", key);
  assertEquals(code, 0);
  assertStringIncludes(stdout, key);
  assertMatch(await Deno.readTextFile(key), /^-----BEGIN PRIVATE KEY-----/);
  assertMatch(await Deno.readTextFile(`${key}.pub`), /^-----BEGIN PUBLIC KEY-----/);
  const { mode } = await Deno.stat(key);
  if (POSIX) assertEquals((mode ?? 0) & 0o777, 0o600);
});

Deno.test("hotplug keygen overwrites nothing, and leaves no half of a pair", async () => {
  await using directory = await tempDirectory();
  const key = directory.file("a.key");
  for (const there of [key, `${key}.pub`]) {
    await Deno.writeTextFile(there, "mine");
    const { code, stdout, stderr } = await hotplug("keygen", "--out", key);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, `"${there}": it is there already`);
    assertEquals(await Deno.readTextFile(there), "mine");
    const names = await Array.fromAsync(Deno.readDir(directory.path), ({ name }) => name);
    assertEquals(names.length, 1);
    await Deno.remove(there);
  }
  const nowhere = await hotplug("keygen", "--out", directory.file("no", "a.key"), "--json");
  assertEquals([nowhere.code, JSON.parse(nowhere.stdout).code], [1, "io"]);
});

Deno.test("hotplug keygen takes an id; one that can't be is a misuse", async () => {
  await using directory = await tempDirectory();
  const key = directory.file("a.key");
  assertEquals((await hotplug("keygen", "--out", key, "--id", "a b")).code, 2);
  assertEquals((await hotplug("keygen")).code, 2);
  const { stdout } = await hotplug("keygen", "--out", key, "--id", "ci-1", "--json");
  const line = { type: "keys", id: "ci-1", privateKey: key, publicKey: `${key}.pub` };
  assertEquals(JSON.parse(stdout), line);
  assertEquals(JSON.parse(await Deno.readTextFile(`${key}.pub`)).kid, "ci-1");
});

Deno.test("hotplug verify says who signed what, and ends with 0", async () => {
  await using fixture = await signedFixture();
  const { artifact, key, id } = fixture;
  const text = await hotplug("verify", artifact, "--trust", `${key}.pub`);
  assertEquals([text.code, text.stderr], [0, ""]);
  assertStringIncludes(text.stdout, id);
  const other = fixture.file("other.pub");
  await Deno.writeTextFile(other, (await generateKeyPair({ id: "other" })).publicKey);
  const trust = ["--trust", other, "--trust", `${key}.pub`];
  const { code, stdout } = await hotplug("verify", artifact, ...trust, "--json");
  assertEquals(code, 0);
  const line = JSON.parse(stdout);
  assertEquals([line.type, line.name, line.path, line.signedBy], ["verified", "tax", artifact, [
    id,
  ]]);
});

Deno.test("hotplug verify ends with 1 and says why", async () => {
  await using fixture = await signedFixture();
  const { artifact, info, key, id } = fixture;
  const other = fixture.file("other.pub");
  await Deno.writeTextFile(other, (await generateKeyPair({ id: "other" })).publicKey);
  const refused = async (code: string, why: string, trust = `${key}.pub`): Promise<void> => {
    const result = await hotplug("verify", artifact, "--trust", trust, "--json");
    assertEquals(result.code, 1);
    const line = JSON.parse(result.stdout);
    assertEquals([line.type, line.code], ["error", code]);
    assertStringIncludes(line.message, why);
    assertStringIncludes(result.stderr, "error: ");
  };
  await refused("signature", id, other);
  await refused("key", "private", key);
  await refused("key", "no.pub", fixture.file("no.pub"));
  const bytes = await Deno.readFile(artifact);
  await Deno.writeFile(artifact, Uint8Array.of(...bytes, 0));
  await refused("integrity", "bytes");
  await Deno.writeFile(artifact, bytes);
  const lock = artifact.replace(/tax_(\d+)_.*/, ".tax_$1.lock");
  await Deno.writeTextFile(lock, "");
  await refused("incomplete", "lock");
  await Deno.remove(lock);
  const text = await Deno.readTextFile(info);
  await Deno.writeTextFile(info, text.replace(`"rate"`, `"evil"`));
  await refused("signature", "byte for byte");
  const { attestation: _, ...unsigned } = JSON.parse(text);
  await Deno.writeTextFile(info, JSON.stringify(unsigned));
  await refused("signature", "not signed");
  await Deno.remove(info);
  await refused("signature", "no info file");
  await Deno.remove(artifact);
  await refused("io", "no such file");
});

Deno.test("hotplug verify without keys, or without an artifact, is a misuse", async () => {
  assertEquals((await hotplug("verify", "a.mjs")).code, 2);
  assertEquals((await hotplug("verify", "--trust", "a.pub")).code, 2);
});

Deno.test("hotplug build does not sign with what is no private key, and builds nothing", async () => {
  await using fixture = await signedFixture();
  const dest = fixture.file("none");
  const build = ["build", fixture.file("tax.ts"), "--dest", dest, "--no-check"];
  for (const key of [`${fixture.key}.pub`, fixture.file("no.key"), fixture.path]) {
    const { code, stdout, stderr } = await hotplug(...build, "--sign", key, "--json");
    assertEquals([code, JSON.parse(stdout).code], [1, "key"], stderr);
    assertStringIncludes(stderr, key);
  }
  const there = await Deno.stat(dest).then(() => true, () => false);
  assert(!there);
});

Deno.test(
  "hotplug build warns of a private key that others may read",
  { ignore: !POSIX },
  async () => {
    await using fixture = await signedFixture();
    const dest = ["--dest", fixture.file("more"), "--no-check", "--quiet"];
    const build = ["build", fixture.file("tax.ts"), ...dest, "--sign", fixture.key];
    assertEquals((await hotplug(...build)).stderr, "");
    await Deno.chmod(fixture.key, 0o644);
    const { code, stderr } = await hotplug(...build);
    assertEquals(code, 0);
    assertMatch(stderr, /^warning: .*chmod 600/);
  },
);
