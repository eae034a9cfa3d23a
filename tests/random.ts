/** Numbers that look random and come again with the same seed (mulberry32). */
export interface Random {
  /** What to give to come by the same numbers again. */
  readonly seed: number;
  /** A whole number from 0 to below the limit. */
  below(limit: number): number;
  /** One of the items. */
  pick<T>(items: ArrayLike<T>): T;
  /** A text of as many characters as said, each one of the alphabet. */
  text(alphabet: string, length: number): string;
}

/** Makes a source of numbers; the seed is new each time, unless HOTPLUG_TEST_SEED has it. */
export function makeRandom(seed: number = freshSeed()): Random {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  const pick = <T>(items: ArrayLike<T>): T => items[below(items.length)] as T;
  const text = (alphabet: string, length: number): string =>
    Array.from({ length }, () => pick(alphabet)).join("");
  return { seed, below, pick, text };
}

/** Runs a check on many random cases; a failure says the seed and the case. */
export function forAll<T>(
  count: number,
  make: (random: Random) => T,
  check: (value: T) => void,
): void {
  const random = makeRandom();
  for (let at = 0; at < count; at++) {
    const value = make(random);
    try {
      check(value);
    } catch (cause) {
      throw new Error(
        `case ${at} of HOTPLUG_TEST_SEED=${random.seed}: ${JSON.stringify(value)}`,
        { cause },
      );
    }
  }
}

function freshSeed(): number {
  const given = Deno.env.get("HOTPLUG_TEST_SEED");
  return given === undefined ? Date.now() >>> 0 : Number(given);
}
