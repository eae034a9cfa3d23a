import { MAX_TIMER, range } from "./range.ts";

/**
 * Which generations of a plugin stay in memory; the others are retired: what was rolled back from
 * first, then what has been out of use for longest.
 *
 * Only what is parked is retired: never the current generation, nor one that somebody still holds, nor
 * what served before while the current one is in its probation.
 * Inline, all are kept by default, since V8 gives an imported module's memory back in no case.
 */
export interface Retention {
  /**
   * How many, the current one included; `Infinity` for all.
   *
   * @default `Infinity` inline, 2 in a worker or process
   */
  readonly count?: number;
  /**
   * How long after it was parked, in milliseconds.
   *
   * @default `Infinity`
   */
  readonly age?: number;
  /**
   * How many bytes all of them together, by what their tiers can tell.
   *
   * @default `Infinity`
   */
  readonly bytes?: number;
}

/** {@linkcode Retention} with every gap filled. */
export type ResolvedRetention = Required<Retention>;

/** What is known of a generation that may be retired. */
export interface Retainable {
  /** When it was parked, in milliseconds since the epoch; undefined if it is not parked. */
  readonly parkedAt: number | undefined;
  /** How many bytes it holds. */
  readonly bytes: number;
  /** Whether others are not to go for want of room while it is still held, since it goes first. */
  readonly isLeaving?: boolean;
}

/** Fills the gaps and checks the ranges; throws a HotplugError of code `options`. */
export function resolveRetention(
  { count, age, bytes }: Retention = {},
  tier: "inline" | "worker" | "process",
  where = "",
): ResolvedRetention {
  const checked = (name: keyof Retention, value: number, most: number): number =>
    value === Infinity ? value : range(`${where}retention.${name}`, value, 1, most);
  return {
    count: checked("count", count ?? (tier === "inline" ? Infinity : 2), 2 ** 31),
    age: checked("age", age ?? Infinity, MAX_TIMER),
    bytes: checked("bytes", bytes ?? Infinity, Number.MAX_SAFE_INTEGER),
  };
}

/** Which of the generations, in the order in which they go, are to be retired now. */
export function overdue<T extends Retainable>(
  generations: readonly T[],
  { count, age, bytes }: ResolvedRetention,
  now: number,
): T[] {
  let left = generations.length;
  let held = generations.reduce((sum, each) => sum + each.bytes, 0);
  const retired: T[] = [];
  for (const each of generations) {
    const { parkedAt } = each;
    if (parkedAt === undefined && !each.isLeaving) continue;
    if (parkedAt !== undefined) {
      if (left <= count && held <= bytes && now - parkedAt < age) continue;
      retired.push(each);
    }
    left -= 1;
    held -= each.bytes;
  }
  return retired;
}
