import { assert, assertEquals } from "@std/assert";
import { formatInfo, formatTarget, verifyInfo } from "../artifact/mod.ts";
import { build, verifyBuild } from "../builder/mod.ts";
import { verifyArtifact } from "../manager/mod.ts";
import { builderFixture } from "./_builder_fixture.ts";
import { assertCode } from "./_errors.ts";
import { executableFixture, executableTest, onlyArtifact } from "./_executable.ts";
import { testKeys } from "./_signed.ts";

const SOURCE = { "tax.ts": "export const rate = (): number => 0.2;\n" };

Deno.test("a signed build: each target has an attestation, and says what it said unsigned", async () => {
  await using fixture = await builderFixture(SOURCE);
  const keys = await testKeys("ci");
  const options = {
    source: `${fixture.source}/tax.ts`,
    targets: ["linux/amd64", "windows/arm64", "any"],
    check: false,
    permissions: { net: ["example.com"] },
  };
  const plain = await build({ ...options, dest: `${fixture.root}/plain` });
  for (const [sign, gzip] of [[keys.privateKey, true], [keys.signer, false]] as const) {
    const dest = `${fixture.dest}/${gzip}`;
    const { artifacts } = await build({ ...options, dest, sign, gzip });
    assertEquals(artifacts.length, 3);
    for (const [index, { path, info, infoPath, target }] of artifacts.entries()) {
      const { signedBy, info: verified } = await verifyArtifact(path, { trust: keys.publicKey });
      assertEquals(signedBy, ["ci"], formatTarget(target));
      assertEquals(verified, info);
      assertEquals(await Deno.readTextFile(infoPath), formatInfo(info));
      assertEquals(info.content, plain.artifacts[index]?.info.content);
      assertEquals(info.permissions, { net: ["example.com"] });
    }
  }
  const { attestation } = plain.artifacts[0]?.info ?? {};
  assertEquals(attestation, undefined);
});

Deno.test("a key that can't sign fails the build before anything is done", async () => {
  await using fixture = await builderFixture(SOURCE);
  const { publicKey, privateKey } = await testKeys();
  const { source, dest } = fixture;
  for (const sign of ["", publicKey, privateKey.slice(9), { kty: "RSA" }, 7, null]) {
    await assertCode(build({ source, dest, sign: sign as string }), "key");
  }
  assertEquals(await fixture.list(), []);
});

Deno.test("a signed build can be verified by a rebuild, and another key signs the same", async () => {
  await using fixture = await builderFixture(SOURCE);
  const source = `${fixture.source}/tax.ts`;
  const [one, two] = [await testKeys(), await testKeys()];
  const common = { source, check: false, gzip: true };
  const first = await build({ ...common, dest: `${fixture.dest}/1`, sign: one.privateKey });
  const second = await build({ ...common, dest: `${fixture.dest}/2`, sign: two.privateKey });
  const { path, sha256 } = onlyArtifact(first);
  assertEquals(onlyArtifact(second).sha256, sha256);
  const { same } = await verifyBuild({ artifact: path, source, check: false });
  assert(same);
});

executableTest("a signed executable is verified by its bytes, compressed or not", async () => {
  await using fixture = await executableFixture();
  const keys = await testKeys();
  for (const gzip of [false, true]) {
    const result = await fixture.build("console.log('hello');", { sign: keys.privateKey, gzip });
    const { path, infoPath, info } = onlyArtifact(result);
    assertEquals(info.mode, "executable");
    const trust = { trust: keys.publicKey };
    assertEquals((await verifyArtifact(path, trust)).signedBy, [keys.id]);
    const { info: signed } = await verifyInfo(await Deno.readFile(infoPath), keys.trusted);
    assertEquals(signed, info);
    using file = await Deno.open(path, { read: true, write: true });
    const byte = new Uint8Array(1);
    await file.seek(-1000, Deno.SeekMode.End);
    await file.read(byte);
    await file.seek(-1000, Deno.SeekMode.End);
    await file.write(Uint8Array.of((byte[0] ?? 0) ^ 1));
    await assertCode(verifyArtifact(path, trust), "integrity");
    await file.truncate(1000);
    await assertCode(verifyArtifact(path, trust), "integrity");
  }
});
