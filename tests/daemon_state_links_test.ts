import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { checkDaemon } from "../daemon/mod.ts";
import { isStateFolderTaken } from "../daemon/state/state_folder.ts";
import { assertCode } from "./_errors.ts";
import { startControl } from "./_control.ts";
import { statePlace } from "./_state_place.ts";
import { tempDirectory } from "./_temp.ts";

const ignore = Deno.build.os === "windows";

for (const name of ["journal", "owner.json", "lock", "state.json"]) {
  Deno.test({
    name:
      `a link in the place of ${name} keeps a daemon from its state, and is not written through`,
    ignore,
    async fn() {
      // Where a daemon was, and where none has been.
      for (const isUsed of [true, false]) {
        await using at = await statePlace();
        await using elsewhere = await tempDirectory();
        const link = join(at.state, name);
        if (isUsed) await (await at.start()).daemon.close();
        else await Deno.mkdir(at.state, { mode: 0o700 });
        await Deno.remove(link).catch(() => {});
        for (const target of ["precious", "missing"]) {
          if (target === "precious") await Deno.writeTextFile(elsewhere.file(target), "theirs");
          await Deno.symlink(elsewhere.file(target), link);
          const before = Array.from(Deno.readDirSync(at.state), (each) => each.name);
          const { message } = await assertCode(at.start(), "state");
          assertStringIncludes(message, `"${link}" is a link`);
          assertEquals(message.split("remove it").length, 2, message);
          const { state } = await checkDaemon({ watch: [at.plugins], state: at.state });
          assertEquals(state?.trouble, message);
          assertEquals(isStateFolderTaken(at.state), false);
          assertEquals(Array.from(Deno.readDirSync(at.state), (each) => each.name), before);
          await Deno.remove(link);
        }
        assertEquals(await Deno.readTextFile(elsewhere.file("precious")), "theirs");
        assertEquals([...Deno.readDirSync(elsewhere.path)].length, 1);
      }
    },
  });
}

Deno.test({
  name: "where the control listens, and its token, are not written through a link",
  ignore,
  async fn() {
    await using elsewhere = await tempDirectory();
    const precious = elsewhere.file("precious");
    await Deno.writeTextFile(precious, "theirs");
    const names = ["control.json", "control.token"];
    const links = [...names, ...names.map((name) => `${name}.new`)];
    await using at = await startControl({}, {}, async (state) => {
      await Deno.mkdir(state, { mode: 0o700 });
      for (const each of links) await Deno.symlink(precious, join(state, each));
    });
    for (const name of names) assert((await Deno.lstat(join(at.state, name))).isFile);
    assertEquals(await Deno.readTextFile(precious), "theirs");
  },
});
