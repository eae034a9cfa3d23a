import { assertEquals } from "@std/assert";
import { formatInfo, signInfo } from "../artifact/mod.ts";
import { PluginManager } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { assertCode } from "./_errors.ts";
import { executableFixture, executableTest, onlyArtifact } from "./_executable.ts";
import { testKeys } from "./_signed.ts";
import { tempDirectory } from "./_temp.ts";

const KEYS = await testKeys();
const FOREIGN = await testKeys("foreign");
const GOOD = "export const quote = () => 'good';";
const EVIL = "export const quote = () => 'evil';";

for (const tier of ["inline", "worker", "process"] as const) {
  Deno.test(`what was verified runs, whatever takes its place before it loads (${tier})`, async () => {
    await using directory = await tempDirectory();
    const { path, infoPath } = await writeArtifact(directory.path, GOOD, { sign: KEYS.signer });
    await using manager = new PluginManager({ trust: KEYS.publicKey, tier });
    const generation = await manager.open(path, {
      // All is verified, and nothing has been loaded yet.
      async verified() {
        await Deno.writeTextFile(path, EVIL);
        await Deno.writeTextFile(infoPath, "{}");
      },
    });
    assertEquals([generation.tier, await generation.call("quote")], [tier, "good"]);
  });

  Deno.test(`what is not signed by a trusted key does not start (${tier})`, async () => {
    await using directory = await tempDirectory();
    await using manager = new PluginManager({ trust: KEYS.publicKey, tier });
    const inits = [{ info: false }, {}, { sign: FOREIGN.signer }];
    for (const [index, init] of inits.entries()) {
      const { path } = await writeArtifact(directory.path, EVIL, { ...init, scn: SCN + index });
      await assertCode(manager.open(path), "signature");
    }
    assertEquals(manager.current("pricing"), undefined);
  });
}

executableTest(
  "with trust keys, only an executable that is signed and unchanged runs",
  async (t) => {
    await using fixture = await executableFixture();
    const marker = fixture.file("ran");
    const evil = `Deno.writeTextFileSync(${JSON.stringify(marker)}, "");\n${EVIL}`;
    const permissions = { write: [marker] };
    const options = { permissions, check: false, name: "tool" };
    const good = onlyArtifact(
      await fixture.build(GOOD, { ...options, sign: KEYS.signer, gzip: true }),
    );
    const bad = onlyArtifact(
      await fixture.build(evil, { ...options, scn: good.info.scn, gzip: true }),
    );
    await using manager = new PluginManager({ trust: KEYS.publicKey, executables: true });
    await t.step("not signed, or by a stranger", async () => {
      await assertCode(manager.open(bad.path), "signature");
      const foreign = await signInfo(bad.info, FOREIGN.signer);
      await Deno.writeTextFile(bad.infoPath, formatInfo(foreign));
      await assertCode(manager.open(bad.path), "signature");
    });
    const bytes = await Deno.readFile(good.path);
    await t.step("another one in the place of the signed one", async () => {
      await Deno.copyFile(bad.path, good.path);
      await assertCode(manager.open(good.path), "integrity");
    });
    await t.step("another one once the info file was verified", async () => {
      await Deno.writeFile(good.path, bytes);
      const swap = { verified: () => Deno.copyFile(bad.path, good.path) };
      // It is seen by its bytes, or, where they are being read, by its other inode or size.
      await assertCode(manager.open(good.path, swap), "integrity", "io");
    });
    await t.step("the signed one", async () => {
      await Deno.writeFile(good.path, bytes);
      assertEquals(await (await manager.open(good.path)).call("quote"), "good");
    });
    await assertMissing(marker);
  },
);

async function assertMissing(path: string): Promise<void> {
  assertEquals(await Deno.stat(path).then(() => "it ran", () => "missing"), "missing");
}
