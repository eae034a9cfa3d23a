import { MAX_TIMER, range } from "./range.ts";

/** When a new generation is taken back by itself: too many of its first calls fail. */
export interface Probation {
  /**
   * How long after it became current its calls count, in milliseconds.
   *
   * @default {60000}
   */
  readonly window?: number;
  /**
   * The share of failed calls past which it is taken back, from 0 to 1.
   *
   * @default {0.5}
   */
  readonly errorRate?: number;
  /**
   * How many calls must have ended before their rate counts.
   *
   * @default {20}
   */
  readonly minCalls?: number;
  /**
   * How many crashes of its process or worker it is allowed.
   *
   * @default {2}
   */
  readonly crashes?: number;
}

/** {@linkcode Probation} with every gap filled. */
export type ResolvedProbation = Required<Probation>;

/** What a generation did since it became current. */
export interface Conduct {
  /** Calls that ended. */
  readonly calls: number;
  /** Those of them that failed. */
  readonly errors: number;
  /** How often its process or worker ended by itself. */
  readonly crashes: number;
}

/** Fills the gaps and checks the ranges; throws a HotplugError of code `options`. */
export function resolveProbation(
  probation: Probation | false | undefined,
  where = "",
): ResolvedProbation | undefined {
  if (!probation) return undefined;
  const { window = 60_000, errorRate = 0.5, minCalls = 20, crashes = 2 } = probation;
  return {
    window: range(`${where}probation.window`, window, 1, MAX_TIMER),
    errorRate: range(`${where}probation.errorRate`, errorRate, 0, 1),
    minCalls: range(`${where}probation.minCalls`, minCalls, 1, Number.MAX_SAFE_INTEGER),
    crashes: range(`${where}probation.crashes`, crashes, 0, Number.MAX_SAFE_INTEGER),
  };
}

/** Why it fails its probation; undefined as long as it does not. */
export function failsProbation(
  { calls, errors, crashes }: Conduct,
  probation: ResolvedProbation,
): string | undefined {
  if (crashes > probation.crashes) return `it crashed ${crashes} times in its probation`;
  if (calls < probation.minCalls || errors / calls <= probation.errorRate) return undefined;
  return `${errors} of its first ${calls} calls failed`;
}
