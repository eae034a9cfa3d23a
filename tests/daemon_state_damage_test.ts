import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { DaemonState } from "../daemon/state/daemon_state.ts";
import { LoadJournal } from "../daemon/state/load_journal.ts";
import type { ManagerEvent } from "../manager/mod.ts";
import { publish } from "./_daemon.ts";
import { beginLoading, type StatePlace, statePlace } from "./_state_place.ts";
import { testKeys } from "./_signed.ts";
import { tempDirectory } from "./_temp.ts";

const [FIRST, SECOND, THIRD] = [20240101000000, 20240101000001, 20240101000002] as const;

/** Where a daemon was that had one plugin, and closed. */
async function usedPlace(): Promise<StatePlace> {
  const at = await statePlace();
  await publish(at.plugins, "export const answer = () => 1;", { scn: FIRST });
  await (await at.start()).daemon.close();
  return at;
}

async function damageKept(state: string): Promise<void> {
  const store = join(state, "store");
  for await (const folder of Deno.readDir(store)) {
    for await (const { name } of Deno.readDir(join(store, folder.name))) {
      await Deno.writeTextFile(join(store, folder.name, name), "rubbish");
    }
  }
}

Deno.test("kept bytes that are damaged are taken anew from where the artifact was found", async () => {
  await using at = await usedPlace();
  await damageKept(at.state);
  {
    await using mending = await at.start();
    assertEquals(mending.daemon.manager.current("pricing")?.scn, FIRST);
    assertEquals(mending.events.of("state"), []);
  }
  for await (const { name } of Deno.readDir(at.plugins)) await Deno.remove(join(at.plugins, name));
  await using after = await at.start();
  assertEquals(after.daemon.manager.current("pricing")?.scn, FIRST);
  assertEquals(after.events.of("failed"), []);
});

Deno.test("a kept signature that is damaged is taken anew, and what is in the way of kept bytes is removed", async () => {
  const { publicKey: trust, signer: sign } = await testKeys();
  await using at = await usedPlace();
  await publish(at.plugins, "export const answer = () => 2;", { scn: SECOND, sign });
  await (await at.start({ trust })).daemon.close();
  const kept = Array.from(Deno.readDirSync(join(at.state, "store")), ({ name }) => name)
    .find((name) => name.includes(`@${SECOND}`)) ?? "";
  const folder = join(at.state, "store", kept);
  const info = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .find((name) => name.endsWith(".pinf")) ?? "";
  const good = await Deno.readTextFile(join(folder, info));
  const damage = [
    () => Deno.writeTextFile(join(folder, info), good.replace(/"sig": *"./, "$&A")),
    () => Deno.remove(join(folder, info)),
    async () => {
      await Deno.remove(folder, { recursive: true });
      await Deno.writeTextFile(folder, "rubbish");
    },
  ];
  for (const each of damage) {
    await each();
    await using mending = await at.start({ trust });
    assertEquals(mending.daemon.manager.current("pricing")?.scn, SECOND);
    await mending.daemon.close();
    assertEquals(mending.events.of("state"), []);
    assertEquals(await Deno.readTextFile(join(folder, info)), good);
  }
});

Deno.test("what a damaged journal says is only believed where it may be true", async () => {
  await using at = await usedPlace();
  const line = (id: number, name: string, scn: number) =>
    `\n{"id":${id},"name":"${name}","scn":` +
    `${scn},"path":"x"}\n`;
  await Deno.writeTextFile(
    join(at.state, "journal"),
    line(0, "../up", SECOND) + line(1, "pricing", 12) + line(2, "tax", SECOND),
  );
  {
    await using first = await at.start();
    assertEquals(first.events.of("suspected").map(({ name }) => name), ["tax"]);
  }
  // What was noted of it can be read again.
  await using after = await at.start();
  assertEquals(after.events.of("state"), []);
  assertEquals(after.daemon.manager.names(), ["pricing"]);
});

/** A manager with nothing in memory. */
const NOTHING = { current: () => undefined, previous: () => undefined };

Deno.test("a daemon whose state folder was moved leaves alone what is there instead", async () => {
  await using directory = await tempDirectory();
  const path = directory.file("state");
  const told: string[] = [];
  const first = await DaemonState.open(path, (event) => void told.push(event.type));
  await Deno.rename(path, `${path}.moved`);
  const second = await DaemonState.open(path, () => {});
  first.observe(frozen("pricing"), NOTHING);
  const error = await assertRejects(() => first.saved(), HotplugError);
  assertStringIncludes(error.message, "was moved");
  assertEquals(told, ["state"]);
  second.observe(frozen("tax"), NOTHING);
  await second.saved();
  await first.close();
  const { plugins } = JSON.parse(await Deno.readTextFile(join(path, "state.json")));
  assertEquals(plugins.map((each: { name: string }) => each.name), ["tax"]);
  assert((await Deno.lstat(join(path, "owner.json"))).isFile);
  await second.close();
});

Deno.test({
  name:
    "a store that is a link keeps a daemon from its state, and nothing is removed where it leads",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using at = await usedPlace();
    await using elsewhere = await tempDirectory();
    await Deno.mkdir(elsewhere.file("folder"));
    await Deno.writeTextFile(elsewhere.file("folder", "theirs"), "theirs");
    await Deno.remove(join(at.state, "store"), { recursive: true });
    await Deno.symlink(elsewhere.path, join(at.state, "store"));
    const error = await assertRejects(() => at.start(), HotplugError);
    assertEquals(error.code, "state");
    assertStringIncludes(error.message, "is a link");
    assertEquals(await Deno.readTextFile(elsewhere.file("folder", "theirs")), "theirs");
    assertEquals(Array.from(Deno.readDirSync(elsewhere.path), ({ name }) => name), ["folder"]);
  },
});

Deno.test("what is not the store's own stays in it", async () => {
  await using at = await usedPlace();
  await Deno.mkdir(join(at.state, "store", "theirs", "folder"), { recursive: true });
  await Deno.writeTextFile(join(at.state, "store", "notes@20240101000000"), "theirs");
  for (const scn of [SECOND, SECOND + 1]) {
    await publish(at.plugins, `export const answer = () => ${scn};`, { scn });
    await (await at.start()).daemon.close();
  }
  const names = Array.from(Deno.readDirSync(join(at.state, "store")), ({ name }) => name).sort();
  assertEquals(names.map((name) => name.replace(/-[0-9a-f]{16}$/, "-DIGEST")), [
    "notes@20240101000000",
    `pricing@${SECOND}-DIGEST`,
    `pricing@${SECOND + 1}-DIGEST`,
    "theirs",
  ]);
});

Deno.test({
  name: "a store that becomes a link while a daemon runs is not followed, and that is told",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using at = await usedPlace();
    await using elsewhere = await tempDirectory();
    const theirs = `pricing@${FIRST}-0123456789abcdef`;
    await Deno.mkdir(elsewhere.file(theirs));
    await using running = await at.start();
    await Deno.rename(join(at.state, "store"), join(at.state, "away"));
    await Deno.symlink(elsewhere.path, join(at.state, "store"));
    await publish(at.plugins, "export const answer = () => 2;", { scn: SECOND });
    await running.daemon.scan();
    await running.daemon.close();
    const [told] = running.events.of("state");
    assertStringIncludes(told?.message ?? "", "is a link");
    assertEquals(Array.from(Deno.readDirSync(elsewhere.path), ({ name }) => name), [theirs]);
  },
});

function frozen(name: string): ManagerEvent {
  return { type: "frozen", time: new Date().toISOString(), name };
}

Deno.test("a journal that has nothing but rubbish tells of nothing, and works", async () => {
  await using directory = await tempDirectory();
  const rubbish = crypto.getRandomValues(new Uint8Array(5_000));
  await Deno.writeFile(directory.file("journal"), rubbish);
  const { journal, unended } = LoadJournal.open(directory.path);
  assertEquals(unended, []);
  await journal.begin({ name: "pricing", scn: SECOND, path: "p" });
  await journal.close();
  const again = LoadJournal.open(directory.path);
  assertEquals(again.unended.map(({ name, scn, path }) => [name, scn, path]), [
    ["pricing", SECOND, "p"],
  ]);
  await again.journal.close();
});

Deno.test("what was loading is suspect once the state folder can be used, not forgotten while it can't", async () => {
  await using at = await usedPlace();
  const { path } = await publish(at.plugins, "export const answer = () => 2;", { scn: SECOND });
  await beginLoading(at.state, path, SECOND);
  const store = join(at.state, "store");
  await Deno.rename(store, `${store}.aside`);
  await Deno.writeTextFile(store, "in the way");
  await assertRejects(() => DaemonState.open(at.state, () => {}), HotplugError, "store");
  await Deno.remove(store);
  await Deno.rename(`${store}.aside`, store);
  await using daemon = await at.start();
  assertEquals(daemon.events.of("suspected").map(({ scn }) => scn), [SECOND]);
  assertEquals(daemon.daemon.manager.current("pricing")?.scn, SECOND);
});

Deno.test("what was loading stays in the journal until it is written elsewhere, whatever begins after it", async () => {
  await using directory = await tempDirectory();
  const entry = (scn: number) => ({ name: "pricing", scn, path: "p" });
  const open = (): ReturnType<typeof LoadJournal.open> => LoadJournal.open(directory.path);
  const first = open().journal;
  await first.begin(entry(FIRST));
  const second = open().journal;
  await second.begin(entry(SECOND));
  // As if the two had been killed.
  const third = open();
  assertEquals(third.unended.map(({ scn }) => scn), [FIRST, SECOND]);
  (await third.journal.begin(entry(THIRD))).end();
  await third.journal.close();
  const last = open();
  // The same loads, and not others.
  assertEquals(last.unended, third.unended);
  await last.journal.clear();
  const after = open();
  assertEquals(after.unended, []);
  for (const each of [after, last, { journal: second }, { journal: first }]) {
    await each.journal.close();
  }
});

Deno.test("what was loading is over once the state could be written, though not when it was found", async () => {
  await using at = await usedPlace();
  await beginLoading(at.state, "p", SECOND);
  const inTheWay = join(at.state, "state.json.new");
  await Deno.mkdir(join(inTheWay, "full"), { recursive: true });
  const told: string[] = [];
  const state = await DaemonState.open(at.state, (event) => void told.push(event.type));
  await Deno.remove(inTheWay, { recursive: true });
  await state.close();
  assertEquals(told, ["suspected", "state", "state"]);
  const { journal, unended } = LoadJournal.open(at.state);
  await journal.close();
  assertEquals(unended, []);
});

Deno.test("a state that a plugin's toJSON would spoil is not written, and what was written stays", async () => {
  await using at = await usedPlace();
  const read = () => Deno.readTextFile(join(at.state, "state.json"));
  const before = await read();
  await using fixture = await at.start();
  const holder = Array.prototype as { toJSON?: () => string };
  try {
    await publish(at.plugins, "Array.prototype.toJSON = () => 'spoilt';", { scn: SECOND });
    await fixture.events.next((event) => event.type === "state" && event.state === "unwritable");
    assertEquals(await read(), before);
  } finally {
    delete holder.toJSON;
  }
  await fixture.events.next((event) => event.type === "state" && event.state === "writable");
  assert((await read()).includes(String(SECOND)));
});
