import { HotplugError } from "../../artifact/mod.ts";

/** What a timer may wait for, in milliseconds. */
export const MAX_TIMER: number = 2 ** 31 - 1;

/**
 * Answers with the value where it lies in the range.
 *
 * @throws {HotplugError} `options` where it does not.
 */
export function range(option: string, value: number, least: number, most: number): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  throw new HotplugError(
    "options",
    `Option "${option}" is ${String(value)}: give a number from ${least} to ${most}`,
  );
}
