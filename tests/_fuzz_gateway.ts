import { startDaemon } from "./_cli.ts";
import { publish } from "./_daemon.ts";
import type { FuzzedRequest, FuzzedServer } from "./_fuzz_request.ts";
import {
  changes,
  fuzzDoors,
  type FuzzOptions,
  type FuzzReport,
  leftOpen,
  openFiles,
  PATIENCE,
  plain,
  send,
  treeOf,
} from "./_fuzz_wire.ts";
import { tempDirectory } from "./_temp.ts";

/** Reads all, and answers with as much; what it does not understand it throws. */
const ECHO = `
  export default {
    async fetch(request) {
      const text = await request.text();
      const { pathname } = new URL(request.url);
      return new Response(request.method + " " + pathname + " " + text.length);
    },
  };`;
const DEAF = `export default { fetch: () => new Response("whatever you say") };`;
const STREAM = `export default { fetch: (request) => new Response(request.body) };`;
/** What no answer may hold. Not of digits: an echoed length has them. */
const SECRET = "swordfish";
const FAIL = `export default { fetch() { throw new Error("the password is ${SECRET}"); } };`;
const MUTE = `export const answer = () => 42;`;
const PLUGINS = { echo: ECHO, remote: ECHO, deaf: DEAF, stream: STREAM, fail: FAIL, mute: MUTE };

const SERVER: FuzzedServer = {
  paths: [
    ...Object.keys(PLUGINS).map((name) => `/${name}/{x}`),
    "/echo",
    "/remote/",
    "/deaf/../echo/{x}",
    "/nope/{x}",
    "/{x}",
  ],
  bodies: [{}, null, [], { some: "thing" }, "x".repeat(70_000)],
  headers: {},
};
const SLOW_HEADS = ["POST /echo/ HTTP/1.1\r\nhost: a\r\ncontent-length: 9999\r\n\r\n", "GET /", ""];

/** Sends a daemon's gateway, which runs for this alone, whatever can be sent. */
export async function fuzzGateway(options: FuzzOptions): Promise<FuzzReport> {
  await using directory = await tempDirectory();
  const [plugins, config] = [directory.file("plugins"), directory.file("hotplug.jsonc")];
  await Deno.mkdir(plugins);
  await Deno.writeTextFile(directory.file("canary"), "alive");
  const settings = { watch: ["plugins"], state: false, plugins: { remote: { tier: "worker" } } };
  await Deno.writeTextFile(
    config,
    JSON.stringify({ ...settings, gateway: "0", stopDeadline: 1_000 }),
  );
  for (const [name, source] of Object.entries(PLUGINS)) await publish(plugins, source, { name });
  await using daemon = startDaemon(["--config", config]);
  await daemon.events.next(({ type }) => type === "ready", PATIENCE * 3);
  const log = await daemon.printed("NAME/");
  const port = Number(/Serves plugins at \S+:(\d+)\/NAME/.exec(log)?.[1]);
  const target = { hostname: "127.0.0.1", port };
  const before = await treeOf(directory.path);
  const open = await openFiles(daemon.pid);
  const door = { target, server: SERVER, judge };
  const { statuses, faults } = await fuzzDoors([door], options, SLOW_HEADS);
  const live = await send(target, plain("GET /deaf/ HTTP/1.1\r\nhost: 127.0.0.1"));
  if (!live.endsWith("whatever you say")) faults.push(`it does not serve any more: ${live}`);
  faults.push(...changes(before, await treeOf(directory.path)));
  faults.push(...await leftOpen(daemon.pid, open));
  daemon.kill("SIGTERM");
  const { code, stderr } = await daemon.ended();
  if (code !== 0) faults.push(`it ended with ${code}: ${stderr.slice(-2_000)}`);
  return { requests: options.requests, statuses, faults };
}

function judge(status: number, answer: string, { cut }: FuzzedRequest): string | undefined {
  if (answer.startsWith("late")) return cut ? undefined : "no end of the answer";
  if (answer.includes(SECRET)) return "what a plugin threw has gone out";
  if (status >= 500 && status !== 505) {
    const isProblem = /\r\ncontent-type: application\/problem\+json\r\n/i.test(answer);
    if (!isProblem) return `${status} without a problem document`;
  }
  // What the server itself refuses bears no trace of a plugin; what a plugin answers does.
  const isStamped = /\r\nx-hotplug-scn: 20240101000000\r\n/i.test(answer);
  return status === 200 && !isStamped ? "200 without its generation" : undefined;
}
