import { join, relative } from "@std/path";
import { sha256 } from "../artifact/mod.ts";
import { type ControlPlace, readPlace } from "../daemon/control_place.ts";
import { startDaemon } from "./_cli.ts";
import { connect, tcpOf } from "./_control.ts";
import { publish } from "./_daemon.ts";
import { type FuzzedRequest, type FuzzedServer, fuzzRequest } from "./_fuzz_request.ts";
import { documentChecker } from "./_openapi.ts";
import { tempDirectory } from "./_temp.ts";
import { makeRandom } from "./random.ts";

/** What came of it. */
export interface FuzzReport {
  /** How many requests there were. */
  readonly requests: number;
  /** How often each status came; 0 for no answer. */
  readonly statuses: Readonly<Record<number, number>>;
  /** What should not have been. */
  readonly faults: readonly string[];
}

/** How much is done. */
export interface FuzzOptions {
  /** What makes the same requests again. */
  readonly seed: number;
  /** How many. */
  readonly requests: number;
}

const BODIES = [
  {},
  null,
  [],
  { level: "info" },
  { level: "loud" },
  { to: 20240101000000 },
  { scn: 20240101000000 },
  { reason: "x".repeat(2_000) },
  { symbol: "answer", args: [1] },
  { symbol: "fail", args: [] },
  { symbol: "__proto__" },
  { symbol: "answer", args: [], deadline: 1 },
];
const SOURCE = `
  export const answer = (value) => value;
  export const fail = () => { throw new Error("no such luck"); };
`;
const AT_ONCE = 16;
const SLOW = 24;
const PATIENCE = 10_000;
const READS = /^(https?:\/\/[^/]*)?\/(livez|readyz)([?#]|$)/;
/** What the server itself answers to what is no request. */
const NO_REQUEST = [0, 400, 408, 413, 414, 431, 505];

/** Sends a daemon that runs for this alone whatever can be sent, by all of its doors. */
export async function fuzzControl({ seed, requests }: FuzzOptions): Promise<FuzzReport> {
  await using directory = await tempDirectory();
  const [plugins, state] = [directory.file("plugins"), directory.file("state")];
  await Deno.mkdir(plugins);
  await Deno.writeTextFile(directory.file("canary"), "alive");
  for (const scn of [20240101000000, 20240101000001]) await publish(plugins, SOURCE, { scn });
  const args = [plugins, "--state", state, "--no-config", "--control", "127.0.0.1:0"];
  await using daemon = startDaemon([...args, "--allow-invoke"]);
  await daemon.events.next(({ type }) => type === "ready", PATIENCE * 3);
  const place = await readPlace(state);
  if (!place) throw new Error("the daemon did not write where it listens");
  const token = (await Deno.readTextFile(join(state, "control.token"))).trim();
  const before = await treeOf(directory.path);
  const paths = await pathsOf(place);
  const doors = doorsOf(place, token, paths);
  const open = await openFiles(place.pid);
  const random = makeRandom(seed);
  const statuses: Record<number, number> = {};
  const faults: string[] = [];
  let left = requests;
  const work = async (): Promise<void> => {
    while (left-- > 0) {
      const door = random.pick(doors);
      const request = fuzzRequest(random, door.server);
      const answer = await send(door.target, request);
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? 0);
      statuses[status] = (statuses[status] ?? 0) + 1;
      const fault = judge(status, answer, request, door.isOpen);
      if (fault) faults.push(`${fault}: ${JSON.stringify(request.target).slice(0, 300)}`);
    }
  };
  {
    await using _slow = await holdSlowly(doors.map(({ target }) => target));
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
  const live = await send(tcpOf(place), plain("GET /livez HTTP/1.1\r\nhost: 127.0.0.1"));
  if (!live.endsWith("ok\n")) faults.push(`it does not live any more: ${live}`);
  faults.push(...changes(before, await treeOf(directory.path)));
  faults.push(...await leftOpen(place.pid, open));
  daemon.kill("SIGTERM");
  const { code, stderr } = await daemon.ended();
  if (code !== 0) faults.push(`it ended with ${code}: ${stderr.slice(-2_000)}`);
  if (/A request failed/.test(stderr)) faults.push(stderr.slice(0, 2_000));
  return { requests, statuses, faults };
}

/** Clients that send a byte now and then, and end only with the scope. */
async function holdSlowly(targets: readonly Door["target"][]): Promise<AsyncDisposable> {
  const all = await Promise.all(
    Array.from({ length: SLOW }, (_, index) => connect(targets[index % targets.length]!)),
  );
  const heads = ["PUT /v1/log-level HTTP/1.1\r\nhost: 127.0.0.1\r\n", "GET /", ""];
  const start = all.map((each, index) =>
    each.write(new TextEncoder().encode(heads[index % heads.length]))
  );
  await Promise.all(start);
  const timer = setInterval(() => {
    for (const each of all) each.write(new Uint8Array([0x61])).catch(() => {});
  }, 50);
  return {
    [Symbol.asyncDispose]: () => {
      clearInterval(timer);
      for (const each of all) close(each);
      return Promise.resolve();
    },
  };
}

interface Door {
  readonly target: Deno.ConnectOptions | Deno.UnixConnectOptions;
  readonly server: FuzzedServer;
  /** Whether requests are let in. */
  readonly isOpen: boolean;
}

function doorsOf(place: ControlPlace, token: string, paths: readonly string[]): Door[] {
  const tcp = tcpOf(place);
  const server = { paths, bodies: BODIES, headers: {} };
  const authorization = `Bearer ${token}`;
  const doors: Door[] = [
    { target: tcp, server, isOpen: false },
    { target: tcp, server: { ...server, headers: { authorization } }, isOpen: true },
  ];
  if (place.socket === undefined) return doors;
  return [...doors, { target: { transport: "unix", path: place.socket }, server, isOpen: true }];
}

/** Those of the document, but for the stream that does not end. */
async function pathsOf(place: ControlPlace): Promise<string[]> {
  const target = place.socket === undefined
    ? tcpOf(place)
    : { transport: "unix" as const, path: place.socket };
  const answer = await send(target, plain("GET /v1/openapi.json HTTP/1.1\r\nhost: localhost"));
  const document = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")));
  const all = documentChecker(document).operations.map(({ path }) => path);
  return all.map((path) => path === "/v1/events" ? `${path}?follow=false` : path);
}

function plain(head: string): FuzzedRequest {
  const bytes = new TextEncoder().encode(`${head}\r\nconnection: close\r\n\r\n`);
  return { target: "", pieces: [bytes], pause: 0, cut: false };
}

async function send(target: Door["target"], request: FuzzedRequest): Promise<string> {
  const connection = await connect(target);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    close(connection);
  }, PATIENCE);
  const reading = readAll(connection);
  try {
    for (const piece of request.pieces) {
      for (let done = 0; done < piece.length;) {
        done += await connection.write(piece.subarray(done));
      }
      if (request.pause > 0) await new Promise((resolve) => setTimeout(resolve, request.pause));
    }
    if (request.cut) await (connection as Deno.TcpConn).closeWrite();
  } catch {
    // It has heard enough, and has answered.
  }
  const answer = await reading;
  clearTimeout(timer);
  close(connection);
  return late ? `late ${answer}` : answer;
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch { /* it is */ }
}

async function readAll(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(16_384);
  let text = "";
  try {
    for (let n = await connection.read(chunk); n !== null; n = await connection.read(chunk)) {
      text += decoder.decode(chunk.subarray(0, n), { stream: true });
    }
  } catch { /* reset, after what it said */ }
  return text;
}

function judge(
  status: number,
  answer: string,
  { target, cut }: FuzzedRequest,
  isOpen: boolean,
): string | undefined {
  if (answer.startsWith("late")) return cut ? undefined : "no end of the answer";
  if (status >= 500) {
    const isProblem = /\r\ncontent-type: application\/problem\+json\r\n/i.test(answer);
    if (!isProblem && status !== 505) return `${status} without a problem document`;
    if (answer.includes(`"code":"unexpected"`)) return "a failure that was not foreseen";
  }
  if (isOpen || READS.test(target)) return undefined;
  const isRefused = status === 401 || NO_REQUEST.includes(status) || status === 100;
  return isRefused ? undefined : `${status} without a token`;
}

/** How many files and sockets a process has open; 0 where that can't be told. */
async function openFiles(pid: number): Promise<number> {
  if (Deno.build.os !== "linux") return 0;
  return (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`))).length;
}

/** Waits for the ends of connections to be noticed. */
async function leftOpen(pid: number, before: number): Promise<string[]> {
  const began = Date.now();
  let now = await openFiles(pid);
  while (now > before + 2 && Date.now() - began < PATIENCE) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    now = await openFiles(pid);
  }
  return now > before + 2 ? [`${now} files are open, ${before} were`] : [];
}

type Tree = ReadonlyMap<string, string>;

/** All files below, with what is in them; of the state folder only which there are. */
async function treeOf(root: string, path: string = root): Promise<Tree> {
  const tree = new Map<string, string>();
  for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
    const each = join(path, name);
    const key = relative(root, each);
    if (key.startsWith(join("state", "store"))) continue;
    if (isDirectory) { for (const entry of await treeOf(root, each)) tree.set(...entry); }
    else if (isFile && !key.startsWith("state")) tree.set(key, sha256(await Deno.readFile(each)));
    else tree.set(key, "there");
  }
  return tree;
}

/** Only files whose writing is the daemon's own business may come and go. */
function changes(before: Tree, after: Tree): string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all]
    .filter((key) => before.get(key) !== after.get(key) && !/state\.json(\.new)?$/.test(key))
    .map((key) => `"${key}" has changed`);
}
