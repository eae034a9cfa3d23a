import { MAX_RECORD } from "./log_budget.ts";

/** So deep goes a record's structure. */
const DEPTH = 4;
/** So many values it has in all. */
const MOST = 1_000;
/** So many items of a list, or of an object. */
const WIDTH = 100;
/** So long a text is let be, whatever else there is. */
const SHORT = 100;
const MORE = "…";
/** In the place of what throws when it is looked at. */
export const UNSHOWABLE = "what can't be shown";

/**
 * The properties of a log record as plain data. What JSON does not take goes as it would be shown; of what
 * is deep, wide or, past so many characters in all, long the rest is left out, and said to be.
 *
 * A host reads what any plugin logs, whether it writes that down or not; and to look at all of what is
 * linked to and fro takes a time with no end. What is plain already stays as it is.
 */
export function plainProperties(
  properties: Readonly<Record<string, unknown>>,
  characters: number = MAX_RECORD,
): Record<string, unknown> {
  try {
    return new Plainer(characters).members(properties, Object.keys(properties), MOST, DEPTH);
  } catch {
    // Not even its names: a plugin is not to fail for what it logs.
    return {};
  }
}

class Plainer {
  #values = MOST;
  #characters: number;

  constructor(characters: number) {
    this.#characters = characters;
  }

  /** So many members of an object of these keys, and how many there are beside. */
  members(
    object: Readonly<Record<string, unknown>>,
    keys: readonly string[],
    most: number,
    depth: number,
  ): Record<string, unknown> {
    const kept = keptOf(keys.length, most);
    this.#values -= Math.min(keys.length, most);
    return Object.fromEntries([
      ...keys.slice(0, kept).map((key) => [cut(key, SHORT), this.#member(object, key, depth)]),
      ...kept < keys.length ? [[MORE, this.#text(`${keys.length - kept} more`)]] : [],
    ]);
  }

  #items(list: readonly unknown[], depth: number): unknown[] {
    const kept = keptOf(list.length, WIDTH);
    this.#values -= Math.min(list.length, WIDTH);
    return [
      ...Array.from({ length: kept }, (_, at) => this.#member(list, at, depth)),
      ...kept < list.length ? [this.#text(`${MORE} ${list.length - kept} more`)] : [],
    ];
  }

  #member<K extends PropertyKey>(
    object: Readonly<Record<K, unknown>>,
    key: K,
    depth: number,
  ): unknown {
    try {
      return this.#plain(object[key], depth);
    } catch {
      return this.#text(UNSHOWABLE);
    }
  }

  #plain(value: unknown, depth: number): unknown {
    if (typeof value === "string") return this.#text(value);
    if (value === null || typeof value === "number" || typeof value === "boolean") return value;
    if (Array.isArray(value)) {
      const isMuch = depth === 0 || Math.min(value.length, WIDTH) > this.#values;
      return isMuch ? this.#text(`[${MORE}]`) : this.#items(value, depth - 1);
    }
    if (!isPlain(value)) return this.#text(this.#shown(value));
    const keys = depth === 0 ? [] : Object.keys(value);
    const isMuch = depth === 0 || Math.min(keys.length, WIDTH) > this.#values;
    return isMuch ? this.#text(`{${MORE}}`) : this.members(value, keys, WIDTH, depth - 1);
  }

  /** One level of it, as long as there is room: each further one takes a hundred times as long. */
  #shown(value: unknown): string {
    return Deno.inspect(value, { depth: this.#characters > 0 ? 1 : 0 });
  }

  #text(whole: string): string {
    const text = cut(whole, Math.max(this.#characters, SHORT));
    this.#characters -= text.length;
    return text;
  }
}

/** So many of them, where the last one says how many more there are. */
function keptOf(size: number, most: number): number {
  return size > most ? most - 1 : size;
}

/** No longer than that, with what says how much more there is. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const told = (more: number): string => `${MORE} (${more} characters more)`;
  const kept = length - told(text.length).length;
  return text.slice(0, kept) + told(text.length - kept);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
