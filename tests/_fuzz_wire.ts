import { join, relative } from "@std/path";
import { sha256 } from "../artifact/mod.ts";
import { connect } from "./_control.ts";
import { type FuzzedRequest, type FuzzedServer, fuzzRequest } from "./_fuzz_request.ts";
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

/** Where requests are sent. */
export type FuzzTarget = Deno.ConnectOptions | Deno.UnixConnectOptions;

/** What is fuzzed, and how its answers are judged. */
export interface FuzzedDoor {
  /** Where requests are sent. */
  readonly target: FuzzTarget;
  /** What they are made for. */
  readonly server: FuzzedServer;
  /** Says what is wrong with an answer; undefined where nothing is. */
  judge(status: number, answer: string, request: FuzzedRequest): string | undefined;
}

/** How long anything may take, in milliseconds. */
export const PATIENCE = 10_000;
const SLOW = 24;
const AT_ONCE = 16;

/** Sends whatever can be sent to the doors, while slow clients hold some of their connections. */
export async function fuzzDoors(
  doors: readonly FuzzedDoor[],
  { seed, requests }: FuzzOptions,
  slowHeads: readonly string[],
): Promise<{ statuses: Record<number, number>; faults: string[] }> {
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
      const fault = door.judge(status, answer, request);
      if (fault) faults.push(`${fault}: ${JSON.stringify(request.target).slice(0, 300)}`);
    }
  };
  await using _slow = await holdSlowly(doors.map(({ target }) => target), slowHeads);
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { statuses, faults };
}

/** A request that is as it should be. */
export function plain(head: string): FuzzedRequest {
  const bytes = new TextEncoder().encode(`${head}\r\nconnection: close\r\n\r\n`);
  return { target: "", pieces: [bytes], pause: 0, cut: false };
}

/** Sends a request and answers with all that comes back; what begins with `late` did not end. */
export async function send(target: FuzzTarget, request: FuzzedRequest): Promise<string> {
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

/** Clients that send a byte now and then, and end only with the scope. */
async function holdSlowly(
  targets: readonly FuzzTarget[],
  heads: readonly string[],
): Promise<AsyncDisposable> {
  const all = await Promise.all(
    Array.from({ length: SLOW }, (_, index) => connect(targets[index % targets.length]!)),
  );
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

/** How many files and sockets a process has open; 0 where that can't be told. */
export async function openFiles(pid: number): Promise<number> {
  if (Deno.build.os !== "linux") return 0;
  return (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`))).length;
}

/** Waits for the ends of connections to be noticed. */
export async function leftOpen(pid: number, before: number): Promise<string[]> {
  const began = Date.now();
  let now = await openFiles(pid);
  while (now > before + 2 && Date.now() - began < PATIENCE) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    now = await openFiles(pid);
  }
  return now > before + 2 ? [`${now} files are open, ${before} were`] : [];
}

/** Files by their paths. */
export type Tree = ReadonlyMap<string, string>;

/** All files below, with what is in them; of the state folder only which there are. */
export async function treeOf(root: string, path: string = root): Promise<Tree> {
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
export function changes(before: Tree, after: Tree): string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all]
    .filter((key) => before.get(key) !== after.get(key) && !/state\.json(\.new)?$/.test(key))
    .map((key) => `"${key}" has changed`);
}
