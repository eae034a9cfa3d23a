import { Socket } from "node:net";
import process from "node:process";
import { captureOutput } from "./capture_output.ts";
import { childLog } from "./child_log.ts";
import { Connection } from "./connection.ts";
import { encodeFrame, type Frame, FrameReader, HELLO_MARK, markOf } from "./frames.ts";
import { catchLateErrors } from "./late_errors.ts";
import { takeInTurns } from "./in_turns.ts";
import type { Message } from "./message.ts";
import {
  type ChildHello,
  FrameKind,
  type HostHello,
  negotiate,
  PROTOCOL_VERSIONS,
} from "./protocol.ts";
import { type ImportModule, serveModule } from "./serve_module.ts";

const PROTOCOL_EXIT = 76;

/**
 * Makes this process the host of one plugin: calls come by standard input, answers go by standard
 * output. It ends when its input does.
 *
 * Never settles.
 */
export function serveProcess(importModule: ImportModule): Promise<never> {
  // Kept before the plugin comes, which finds others in their place.
  const writeSync = Deno.stdout.writeSync.bind(Deno.stdout);
  const exit = Deno.exit.bind(Deno);
  const readBytes = bytesOf();
  const reader = new FrameReader(HELLO_MARK);
  let receive = (frame: Frame): void => {
    receive = start(readHello(frame), reader, writeSync, importModule);
  };
  const take = takeInTurns(
    (bytes: Uint8Array) => reader.push(bytes),
    (frame) => receive(frame),
    (error) => fail(error, exit),
  );
  readBytes(take, () => exit(0));
  return new Promise(() => {});
}

type WriteSync = (bytes: Uint8Array) => number;

function start(
  { cookie, versions }: HostHello,
  reader: FrameReader,
  writeSync: WriteSync,
  importModule: ImportModule,
): (frame: Frame) => void {
  const version = negotiate(versions, PROTOCOL_VERSIONS);
  const answer: ChildHello = {
    cookie,
    version,
    versions: PROTOCOL_VERSIONS,
    deno: Deno.version.deno,
  };
  const write = (mark: number, kind: FrameKind, message: Message): void => {
    // Synchronous: nothing is lost when the plugin ends the process, and one that prints more than
    // its host reads waits for it.
    for (const piece of encodeFrame(mark, kind, message)) writeAll(writeSync, piece);
  };
  const writeJson = (mark: number, kind: FrameKind, value: unknown): void =>
    write(mark, kind, { head: "", text: JSON.stringify(value), buffers: [] });
  writeJson(HELLO_MARK, FrameKind.hello, answer);
  const mark = markOf(cookie);
  reader.expect(mark);
  const log = childLog((record) => writeJson(mark, FrameKind.log, record));
  const connection = new Connection(
    serveModule(importModule, log),
    (packet) => write(mark, FrameKind.message, packet),
  );
  hideHost();
  captureOutput(log);
  catchLateErrors((what, error) => connection.notify("late", what, error));
  return (frame) => connection.receive(frame);
}

/** The plugin has the arguments for itself, and there are none. */
function hideHost(): void {
  Object.defineProperty(Deno, "args", { value: [], configurable: true, enumerable: true });
  process.argv.splice(2);
}

function readHello({ kind, text }: Frame): HostHello {
  const hello = kind === FrameKind.hello ? JSON.parse(text) : undefined;
  if (!/^[0-9a-f]{32}$/.test(hello?.cookie) || !Array.isArray(hello?.versions)) {
    throw new TypeError("the first frame is no greeting");
  }
  return hello;
}

function fail(error: unknown, exit: (code: number) => never): never {
  const text = `This process runs a plugin for hotplug, which did not speak to it: ${error}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(text));
  return exit(PROTOCOL_EXIT);
}

function writeAll(writeSync: WriteSync, bytes: Uint8Array): void {
  let offset = 0;
  while (offset < bytes.length) offset += writeSync(bytes.subarray(offset));
}

/** Reads standard input: as a pipe where this Deno can do that, which is faster, else as a file. */
function bytesOf(): (onBytes: (bytes: Uint8Array) => void, onEnd: () => void) => void {
  const read = Deno.stdin.read.bind(Deno.stdin);
  return (onBytes, onEnd) => {
    const socket = pipeSocket();
    if (!socket) return void readFile(read, onBytes, onEnd);
    socket.on("data", onBytes);
    socket.on("end", onEnd);
    socket.on("error", onEnd);
  };
}

function pipeSocket(): Socket | undefined {
  try {
    return new Socket({ fd: 0, readable: true, writable: false });
  } catch {
    // Deno before 2.5, or no pipe.
    return undefined;
  }
}

async function readFile(
  read: (buffer: Uint8Array) => Promise<number | null>,
  onBytes: (bytes: Uint8Array) => void,
  onEnd: () => void,
): Promise<void> {
  const buffer = new Uint8Array(128 * 1024);
  while (true) {
    const length = await read(buffer).catch(() => null);
    if (length === null) return onEnd();
    // What it holds may be taken later.
    onBytes(buffer.slice(0, length));
  }
}
