import { assert, assertEquals } from "@std/assert";
import { DirectoryWatch } from "../daemon/watch/directory_watch.ts";
import { networkName } from "../daemon/watch/network_file_system.ts";
import type { DaemonEvent } from "../daemon/mod.ts";
import { makeDaemon, publish, within } from "./_daemon.ts";
import { jsonLines, startScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const SOURCE = "export const answer = () => 1;";

Deno.test("with poll, a daemon lists its directories and sets no watch", async () => {
  await using directory = await tempDirectory();
  await using fixture = makeDaemon([directory.path], { poll: 20 });
  await fixture.daemon.start();
  const [status] = fixture.daemon.status().watch;
  assertEquals([status?.mode, status?.state], ["polling", "polling"]);
  await publish(directory.path, SOURCE);
  await fixture.loaded("pricing");
});

Deno.test("a directory on a network file system is polled, and made again it is still", async () => {
  await using directory = await tempDirectory();
  const path = directory.file("plugins");
  await Deno.mkdir(path);
  const states: string[] = [];
  let hinted = Promise.withResolvers<void>();
  const hint = (): void => {
    hinted.resolve();
    hinted = Promise.withResolvers();
  };
  await using watch = new DirectoryWatch(path, {
    hint,
    tick: hint,
    state: (state, message) => void states.push(`${state} ${message ?? ""}`),
  }, { poll: 10, alwaysPoll: false, networkOf: () => Promise.resolve("nfs") });
  await watch.start(10);
  assertEquals(states, ["polling it lies on a file system that may not tell (nfs)"]);
  for (const _ of [1, 2, 3]) await within(5_000, "a tick", hinted.promise);
  await Deno.remove(path);
  while (!states.at(-1)?.startsWith("missing")) await within(5_000, "a tick", hinted.promise);
  await Deno.mkdir(path);
  while (!states.at(-1)?.startsWith("polling")) await within(5_000, "a tick", hinted.promise);
});

Deno.test("network file systems are known by their numbers, as signed ones too", () => {
  assertEquals(networkName(0x6969), "nfs");
  assertEquals(networkName(0xff534d42 | 0), "cifs");
  assertEquals(networkName(0xef53), undefined);
  assertEquals(networkName(0x01021994), undefined);
});

/** A process in a user namespace of its own, in which there are no inotify instances, or watches. */
for (const limit of ["max_inotify_instances", "max_inotify_watches"]) {
  const canLimit = await mayMakeNamespaces();
  Deno.test({
    name: `a daemon polls where ${limit} is used up, says so once, and finds what comes`,
    ignore: !canLimit,
    fn: () => pollsWithout(limit),
  });
}

async function pollsWithout(limit: string): Promise<void> {
  await using directory = await tempDirectory();
  const plugins = directory.file("plugins");
  await Deno.mkdir(plugins);
  await using child = await startScript(
    directory.path,
    `
    import { PluginDaemon } from "project:daemon/mod.ts";
    await using daemon = new PluginDaemon({
      watch: [${JSON.stringify(plugins)}], bareSettle: 10, rootCheck: 20, poll: 0,
      scanInterval: 60_000,
    });
    daemon.subscribe((event) => console.log(JSON.stringify(event)));
    await daemon.start();
    console.log(JSON.stringify({ type: "status", ...daemon.status().watch[0] }));
    for await (const event of daemon.events()) if (event.type === "loaded") break;
    `,
    ["-A"],
    ["unshare", "-U", "-r", "sh", "-c", `echo 0 > /proc/sys/user/${limit}; exec "$0" "$@"`],
  );
  await child.stdin.close();
  let text = "";
  const decoder = new TextDecoder();
  let published = false;
  for await (const bytes of child.stdout) {
    text += decoder.decode(bytes, { stream: true });
    if (published || !text.includes(`"status"`)) continue;
    published = true;
    await publish(plugins, SOURCE);
  }
  const stderr = await new Response(child.stderr).text();
  assert((await child.status).success, stderr);
  const lines = jsonLines<DaemonEvent | { readonly type: "status"; readonly mode: string }>(text);
  const told = lines.filter((each) => each.type === "watch");
  assertEquals(told.length, 1, text);
  assert(told[0]?.type === "watch" && told[0].state === "polling");
  assert(told[0].message?.includes("used up"), told[0].message);
  const status = lines.find((each) => each.type === "status");
  assert(status?.type === "status" && status.mode === "polling");
  assert(lines.some((each) => each.type === "loaded"));
}

async function mayMakeNamespaces(): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  try {
    const line = "echo 0 > /proc/sys/user/max_inotify_instances";
    const { success } = await new Deno.Command("unshare", {
      args: ["-U", "-r", "sh", "-c", line],
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}
