import { parse, stringify, type StringifyOperations } from "devalue";
import { HotplugError } from "../artifact/errors.ts";
import { describeThrown, type ErrorFields, errorFields, reviveError } from "./error_fields.ts";

/** A value on its way: a text, and beside it the bytes that would be no text. */
export interface Packet {
  /** The value as `devalue` writes it. */
  readonly text: string;
  /** The buffers that the text refers to by their places. */
  readonly buffers: readonly ArrayBuffer[];
}

/** Takes what can't be copied, and answers with the number that stands for it on the way. */
export interface Exporter {
  /** An async iterable. */
  iterable(value: AsyncIterable<unknown>): number;
  /** An AbortSignal. */
  signal(value: AbortSignal): number;
}

/** Makes the other side's end of what could not be copied. */
export interface Importer {
  /** An async iterable. */
  iterable(id: number): AsyncIterable<unknown>;
  /** An AbortSignal. */
  signal(id: number, aborted: boolean, reason: unknown): AbortSignal;
}

/** What differs from devalue's own way. */
const OPERATIONS: Partial<StringifyOperations> = {
  isThenable: (value) => value instanceof Promise,
  // Objects of a class go as plain ones, as in a structured clone; not those with something behind
  // them that would be lost: a Request, a WeakMap, a generator.
  shapeOf(value) {
    if (tagOf(value) !== "Object") return { kind: "not-plain" };
    const plain = Object.getPrototypeOf(value) === null ? "null-proto" : "plain";
    return { kind: plain, keys: Object.keys(value) };
  },
  // Only the bytes that it shows: the buffer behind it may be a pool of others' data.
  viewInfo(view: ArrayBufferView & { readonly length?: number }) {
    const { byteLength, length } = view;
    return {
      buffer: shownBuffer(view),
      byteOffset: 0,
      byteLength,
      length,
      bufferByteLength: byteLength,
    };
  },
};

/**
 * Writes a value in a way that does not depend on the version of V8.
 *
 * It takes what a structured clone takes: cycles, Map, Set, Date, RegExp, BigInt, typed arrays,
 * errors (name, message, code, cause, stack), objects of a class as plain ones; besides, URLs, and
 * with an exporter async iterables and AbortSignals.
 *
 * @throws {HotplugError} `clone` for what can't be copied; it says where in the value.
 */
export function encode(value: unknown, exporter?: Exporter): Packet {
  const buffers: ArrayBuffer[] = [];
  const reducers = {
    ArrayBuffer: (thing: unknown) => thing instanceof ArrayBuffer && buffers.push(thing),
    Error: (thing: unknown) => thing instanceof Error && errorFields(thing, copyable),
    Signal: (thing: unknown) =>
      exporter && thing instanceof AbortSignal && {
        id: exporter.signal(thing),
        aborted: thing.aborted,
        reason: copyableThrown(thing.reason),
      },
    Stream: (thing: unknown) =>
      exporter && isAsyncIterable(thing) && { id: exporter.iterable(thing) },
  };
  try {
    return { text: stringify(value, reducers, { operations: OPERATIONS }), buffers };
  } catch (error) {
    throw cloneError(error);
  }
}

/** Reads what {@linkcode encode} wrote; throws whatever rubbish makes it throw. */
export function decode({ text, buffers }: Packet, importer?: Importer): unknown {
  return parse(text, {
    ArrayBuffer: (place: number) => bufferAt(buffers, place),
    Error: (fields: ErrorFields) => reviveError(fields),
    Signal: ({ id, aborted, reason }) => given(importer).signal(id, aborted, reason),
    Stream: ({ id }) => given(importer).iterable(id),
  });
}

/** Answers with what was thrown, or, where that can't be copied, with an error that tells of it. */
export function copyableThrown(thrown: unknown): unknown {
  if (thrown instanceof Error) return thrown;
  return isCopyable(thrown) ? thrown : new Error(describeThrown(thrown));
}

function copyable(value: unknown): unknown {
  return isCopyable(value) ? value : describeThrown(value);
}

function isCopyable(value: unknown): boolean {
  if (typeof value !== "object" || value === null) {
    return typeof value !== "function" && typeof value !== "symbol";
  }
  try {
    // Errors in it are not followed: their causes would be tried again at every level.
    stringify(value, { Error: (thing: unknown) => thing instanceof Error && {} }, {
      operations: OPERATIONS,
    });
    return true;
  } catch {
    return false;
  }
}

function isAsyncIterable(thing: unknown): thing is AsyncIterable<unknown> {
  return typeof thing === "object" && thing !== null &&
    typeof (thing as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function";
}

function shownBuffer(view: ArrayBufferView): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = view;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return buffer;
  return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength)).buffer;
}

function bufferAt(buffers: readonly ArrayBuffer[], place: number): ArrayBuffer {
  const buffer = buffers[place - 1];
  if (buffer instanceof ArrayBuffer) return buffer;
  throw new TypeError(`There is no buffer ${place}`);
}

function given(importer: Importer | undefined): Importer {
  if (importer) return importer;
  throw new TypeError("Neither streams nor signals belong here");
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The place in a call's message as its caller knows it: `argument 0.items[3]`. */
function placeOf(path: string): string {
  const place = path.replace(/^\.r\.ok/, "result").replace(/^\.a\[1\]\[(\d+)\]/, "argument $1");
  return place === "" ? "" : ` at "${place}"`;
}

function cloneError(cause: unknown): HotplugError {
  const { message, path } = cause as { message?: unknown; path?: unknown };
  const where = typeof path === "string" ? placeOf(path) : "";
  const why = String(message ?? cause)
    .replace(/^Cannot stringify /, "")
    .replace("arbitrary non-POJOs", `a ${tagOf((cause as { value?: unknown }).value)}`)
    .replace(/ \(.*\)$| — use stringifyAsync.*$/, "");
  return new HotplugError(
    "clone",
    `Cannot copy the value${where} to or from where the plugin runs: ${why}; ` +
      "give plain data, typed arrays, errors, async iterables or AbortSignals",
    { cause },
  );
}
