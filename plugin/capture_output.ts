import nodeConsole, { Console } from "node:console";
import process from "node:process";
import { Readable, Writable } from "node:stream";
import type { LogLevel, LogRecord, LogSource } from "./protocol.ts";

/** Takes what was printed. */
export type Print = (record: LogRecord) => void;

const LEVELS: Readonly<Record<string, LogLevel>> = {
  assert: "error",
  count: "info",
  countReset: "info",
  debug: "debug",
  dir: "info",
  dirxml: "info",
  error: "error",
  group: "info",
  groupCollapsed: "info",
  groupEnd: "info",
  info: "info",
  log: "info",
  table: "info",
  time: "info",
  timeEnd: "info",
  timeLog: "info",
  trace: "error",
  warn: "warning",
};

/**
 * Turns all that is printed from now on into log records: `console`, `Deno.stdout` and `Deno.stderr`,
 * `process.stdout` and `process.stderr`; and leaves nothing to be read on standard input.
 *
 * What writes to a file descriptor itself is not caught.
 */
export function captureOutput(print: Print): void {
  captureConsole(print);
  for (const name of ["stdout", "stderr"] as const) {
    const write = linePrinter(name, print);
    captureDenoStream(Deno[name], write);
    captureNodeStream(name, write);
  }
  emptyInput();
}

function captureConsole(print: Print): void {
  let level: LogLevel = "info";
  const sink = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      print({ level, source: "console", message: String(chunk).replace(/\n$/, "") });
      done();
    },
  });
  const own = new Console({ stdout: sink, stderr: sink, colorMode: false });
  for (const target of new Set<object>([globalThis.console, nodeConsole])) {
    for (const [method, its] of Object.entries(LEVELS)) {
      const fn = Reflect.get(own, method);
      const captured = (...args: unknown[]): void => {
        level = its;
        fn.apply(own, args);
      };
      replace(target, method, captured);
    }
  }
}

type Write = (bytes: Uint8Array | string) => void;

/** Cuts what is written into lines; a rest without a line feed is printed at the end of the turn. */
function linePrinter(source: LogSource & ("stdout" | "stderr"), print: Print): Write {
  const decoder = new TextDecoder();
  const level = source === "stdout" ? "info" : "error";
  let rest = "";
  let waiting = false;
  const flush = (): void => {
    waiting = false;
    if (rest !== "") print({ level, source, message: rest });
    rest = "";
  };
  return (bytes) => {
    rest += typeof bytes === "string" ? bytes : decoder.decode(bytes, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const message of lines) print({ level, source, message });
    if (rest === "" || waiting) return;
    waiting = true;
    setTimeout(flush, 0);
  };
}

function captureDenoStream(stream: typeof Deno.stdout, write: Write): void {
  const writeSync = (bytes: Uint8Array): number => {
    write(bytes);
    return bytes.length;
  };
  replace(stream, "writeSync", writeSync);
  replace(stream, "write", (bytes: Uint8Array) => Promise.resolve(writeSync(bytes)));
  const writable = new WritableStream<Uint8Array>({ write });
  replace(stream, "writable", writable);
  replace(stream, "isTerminal", () => false);
}

function captureNodeStream(name: "stdout" | "stderr", write: Write): void {
  const stream = new Writable({
    write(chunk, _encoding, done) {
      write(chunk);
      done();
    },
  });
  // The stream that others may have imported by name already writes to the same place.
  const original = process[name];
  replace(original, "write", stream.write.bind(stream));
  replace(original, "_write", stream._write.bind(stream));
}

function emptyInput(): void {
  const { stdin } = Deno;
  replace(stdin, "read", () => Promise.resolve(null));
  replace(stdin, "readSync", () => null);
  replace(stdin, "readable", new ReadableStream({ start: (controller) => controller.close() }));
  replace(stdin, "isTerminal", () => false);
  replace(process, "stdin", Readable.from([]));
}

/** Some of these are getters, and none is to be found changed by a plugin that looks for the old one. */
function replace(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}
