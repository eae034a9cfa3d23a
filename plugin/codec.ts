import { parse, stringify } from "devalue";
import { HotplugError } from "../artifact/errors.ts";
import { describeThrown, type ErrorFields, errorFields, reviveError } from "./error_fields.ts";
import { isView, ownBuffer, reviveView } from "./views.ts";

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

/** What stands in the text for what devalue does not write: a letter, and what belongs to it. */
type Special =
  | readonly ["buffer", number]
  | readonly ["view", string, number]
  | readonly ["error", ErrorFields]
  | readonly ["object", object]
  | readonly ["signal", number, boolean, unknown]
  | readonly ["stream", number];

/**
 * Writes a value in a way that does not depend on the version of V8.
 *
 * It takes what a structured clone takes: cycles, Map, Set, Date, RegExp, BigInt, typed arrays,
 * errors (name, message, code, cause, stack), objects of a class as plain ones; besides, URLs, and
 * with an exporter async iterables and AbortSignals. Of a view only the bytes that it shows are taken:
 * the buffer behind it may be a pool of others' data.
 *
 * @throws {HotplugError} `clone` for what can't be copied; it says where in the value.
 */
export function encode(value: unknown, exporter?: Exporter): Packet {
  const buffers: ArrayBuffer[] = [];
  const place = (buffer: ArrayBuffer): number => {
    const known = buffers.indexOf(buffer);
    return known >= 0 ? known : buffers.push(buffer) - 1;
  };
  // One for all: it is asked for every value, and most are none of its business.
  const special = (thing: unknown): Special | undefined => {
    if (typeof thing !== "object" || thing === null || Array.isArray(thing)) return undefined;
    const prototype = Object.getPrototypeOf(thing);
    if ((prototype === Object.prototype || prototype === null) && !isAsyncIterable(thing)) {
      return undefined;
    }
    if (isView(thing)) return ["view", tagOf(thing), place(ownBuffer(thing))];
    if (thing instanceof ArrayBuffer) return ["buffer", place(thing)];
    if (thing instanceof Error) return ["error", errorFields(thing, copyable)];
    if (exporter && thing instanceof AbortSignal) {
      const { aborted, reason } = thing;
      return ["signal", exporter.signal(thing), aborted, copyableThrown(reason)];
    }
    if (exporter && isAsyncIterable(thing)) return ["stream", exporter.iterable(thing)];
    return isOfClass(thing) ? ["object", { ...thing }] : undefined;
  };
  try {
    return { text: stringify(value, { Special: special }), buffers };
  } catch (error) {
    throw cloneError(error);
  }
}

/** Reads what {@linkcode encode} wrote; throws whatever rubbish makes it throw. */
export function decode({ text, buffers }: Packet, importer?: Importer): unknown {
  return parse(text, { Special: (special: Special) => revive(special, buffers, importer) });
}

/** Answers with what was thrown, or, where that can't be copied, with an error that tells of it. */
export function copyableThrown(thrown: unknown): unknown {
  if (thrown instanceof Error) return thrown;
  return isCopyable(thrown) ? thrown : new Error(describeThrown(thrown));
}

function revive(
  special: Special,
  buffers: readonly ArrayBuffer[],
  importer: Importer | undefined,
): unknown {
  switch (special[0]) {
    case "view":
      return reviveView(special[1], bufferAt(buffers, special[2]));
    case "buffer":
      return bufferAt(buffers, special[1]);
    case "error":
      return reviveError(special[1]);
    case "object":
      return special[1];
    case "signal":
      return given(importer).signal(special[1], special[2], special[3]);
    case "stream":
      return given(importer).iterable(special[1]);
    default:
      throw new TypeError(`There is no special value ${special satisfies never}`);
  }
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
    stringify(value, {
      Special: (thing: unknown) =>
        thing instanceof Error || isView(thing) || thing instanceof ArrayBuffer
          ? {}
          : isOfClass(thing) && { ...thing as object },
    });
    return true;
  } catch {
    return false;
  }
}

/** An object of a class of somebody's own; not one with something behind it that would be lost. */
function isOfClass(thing: unknown): boolean {
  if (typeof thing !== "object" || thing === null || tagOf(thing) !== "Object") return false;
  const prototype = Object.getPrototypeOf(thing);
  return prototype !== null && prototype !== Object.prototype && !isAsyncIterable(thing);
}

function isAsyncIterable(thing: unknown): thing is AsyncIterable<unknown> {
  return typeof thing === "object" && thing !== null &&
    typeof (thing as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function";
}

function bufferAt(buffers: readonly ArrayBuffer[], place: number): ArrayBuffer {
  const buffer = buffers[place];
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

/** The place in a call's arguments as its caller knows it: `argument 0.items[3]`. */
function placeOf(path: string): string {
  const place = path.replace(/^\[1\]\[(\d+)\]/, "argument $1");
  return place === "" ? "" : ` at "${place}"`;
}

function cloneError(cause: unknown): HotplugError {
  const { message, path, value } = cause as { message?: unknown; path?: unknown; value?: unknown };
  const where = typeof path === "string" ? placeOf(path) : "";
  const why = String(message ?? cause)
    .replace(/^Cannot stringify /, "")
    .replace("arbitrary non-POJOs", `a ${tagOf(value)}`)
    .replace(/ \(.*\)$| — use stringifyAsync.*$/, "");
  return new HotplugError(
    "clone",
    `Cannot copy the value${where} to or from where the plugin runs: ${why}; ` +
      "give plain data, typed arrays, errors, async iterables or AbortSignals",
    { cause },
  );
}
