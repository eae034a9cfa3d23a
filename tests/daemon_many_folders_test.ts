import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { WatchSet } from "../daemon/watch/watch_set.ts";
import { makeDaemon, publish, within } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const ANSWER = "export const answer = () => 1;";

/** Makes so many folders in a directory; answers with their paths. */
async function makeFolders(directory: string, count: number): Promise<string[]> {
  const folders = Array.from({ length: count }, (_, n) => join(directory, `d${n}`));
  for (const each of folders) await Deno.mkdir(each, { recursive: true });
  return folders;
}

Deno.test("recursively, folders beyond those that can be watched are looked at, as status says", async () => {
  await using directory = await tempDirectory();
  const folders = await makeFolders(directory.path, 200);
  await using fixture = makeDaemon([directory.path], { recursive: true });
  await fixture.daemon.start();
  const last = folders.at(-1) as string;
  await publish(last, ANSWER, { name: "last" });
  await fixture.loaded("last");
  const [status] = fixture.daemon.status().watch;
  assertEquals([status?.mode, status?.state], ["polling", "polling"]);
  assertMatch(status?.message ?? "", /64 of the folders/);
  // Where they are few again, they are watched.
  for (const each of folders.slice(0, 180)) await Deno.remove(each);
  await fixture.events.next((event) => event.type === "watch" && event.state === "watching");
  await publish(last, ANSWER, { name: "later" });
  await fixture.loaded("later");
});

Deno.test("a tree of many folders that goes holds nothing up, and the next change is told of", async () => {
  await using directory = await tempDirectory();
  const watch = directory.file("plugins");
  const tree = join(watch, "tree");
  for (const each of await makeFolders(tree, 160)) await makeFolders(each, 10);
  const options = { recursive: true, state: directory.file("state") };
  await using fixture = makeDaemon([watch], options);
  await fixture.daemon.start();
  await fixture.events.next((event) => event.type === "watch" && event.state === "polling");
  await Deno.remove(tree, { recursive: true });
  await publish(watch, ANSWER, { name: "next" });
  await fixture.loaded("next");
  await fixture.events.next((event) => event.type === "watch" && event.state === "watching");
  assertEquals(
    fixture.events.of("watch").filter(({ message }) => /no changes/.test(message ?? "")),
    [],
  );
});

Deno.test("of many folders that nothing tells of all are looked at together, not each by itself", async () => {
  await using directory = await tempDirectory();
  const folders = await makeFolders(directory.path, 40);
  const times: number[] = [];
  let hinted = Promise.withResolvers<void>();
  const poll = 100;
  const set = new WatchSet({ watch: [directory.path], poll, alwaysPoll: true, rootCheck: 60_000 }, {
    hint: () => {
      times.push(performance.now());
      hinted.resolve();
      hinted = Promise.withResolvers();
    },
    emit: () => {},
  });
  await set.start();
  set.cover(folders);
  await set.check();
  times.length = 0;
  while (times.length < 6) await within(5_000, "a tick", hinted.promise);
  await set.close();
  const pauses = times.slice(1).map((time, n) => time - (times[n] as number));
  assert(pauses.every((pause) => pause >= poll / 2 - 1), String(pauses));
});
