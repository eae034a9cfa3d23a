import { quote } from "./_quote.ts";
import { HotplugError } from "./errors.ts";
import { DEFAULT_FUTURE_TOLERANCE_MS } from "./limits.ts";

/**
 * A sequence change number: a moment in UTC as the 14 digits `YYYYMMDDHHMMSS`, kept as a safe
 * integer. Newer is greater. Years run from 1000 to 9999, so that it has 14 digits as a number too.
 */
export type Scn = number;

const SHAPE = /^[1-9][0-9]{13}$/;
const FIRST = 1000_01_01_00_00_00;
const LAST = 9999_12_31_23_59_59;

/**
 * Answers with the SCN of a moment, in whole seconds of UTC (rounded down).
 *
 * @example
 * ```ts
 * import { scnFromDate } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(scnFromDate(new Date("2026-11-23T01:45:12.402Z")), 20261123014512);
 * ```
 *
 * @throws {HotplugError} code `scn`: the date is invalid, or not between the years 1000 and 9999
 */
export function scnFromDate(date: Date): Scn {
  const year = date.getUTCFullYear();
  if (!(year >= 1000 && year <= 9999)) {
    const what = Number.isNaN(year) ? "an invalid date" : date.toISOString();
    throw new HotplugError(
      "scn",
      `Cannot make an SCN of ${what}: give a date between the years 1000 and 9999`,
    );
  }
  const day = (year * 100 + date.getUTCMonth() + 1) * 100 + date.getUTCDate();
  const minute = (day * 100 + date.getUTCHours()) * 100 + date.getUTCMinutes();
  return minute * 100 + date.getUTCSeconds();
}

/**
 * Answers with the moment of an SCN.
 *
 * @example
 * ```ts
 * import { scnToDate } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(scnToDate(20261123014512).toISOString(), "2026-11-23T01:45:12.000Z");
 * ```
 *
 * @throws {HotplugError} code `scn`: not an SCN
 */
export function scnToDate(scn: Scn): Date {
  const time = timeOf(scn);
  if (time === undefined) throw notAnScn(scn);
  return new Date(time);
}

/**
 * Reads an SCN from exactly 14 digits that name a second of the calendar.
 *
 * @example
 * ```ts
 * import { HotplugError, parseScn } from "@hotplug/hotplug/artifact";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(parseScn("20261123014512"), 20261123014512);
 * assertThrows(() => parseScn("20260230000000"), HotplugError, "calendar");
 * ```
 *
 * @throws {HotplugError} code `scn`: not 14 digits, or no such second in the calendar
 */
export function parseScn(text: string): Scn {
  const scn = tryParseScn(text);
  if (scn === undefined) throw notAnScn(text);
  return scn;
}

/** Reads an SCN as {@linkcode parseScn} does; answers with nothing if it is none. */
export function tryParseScn(text: string): Scn | undefined {
  const scn = typeof text === "string" && SHAPE.test(text) ? Number(text) : NaN;
  return timeOf(scn) === undefined ? undefined : scn;
}

/** Tells whether the value is an SCN: a number of 14 digits that names a second of the calendar. */
export function isScn(value: unknown): value is Scn {
  return typeof value === "number" && timeOf(value) !== undefined;
}

/** Compares two SCNs: -1 if `a` is older, 1 if it is newer, 0 if they are the same. */
export function compareScn(a: Scn, b: Scn): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Answers with the SCN one calendar second later.
 *
 * @example
 * ```ts
 * import { nextScn } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nextScn(20261231235959), 20270101000000);
 * ```
 *
 * @throws {HotplugError} code `scn`: not an SCN, or the last one of the year 9999
 */
export function nextScn(scn: Scn): Scn {
  return scnFromDate(new Date(scnToDate(scn).getTime() + 1000));
}

/**
 * Tells whether an SCN lies further ahead of a moment than the tolerance.
 *
 * @param scn The SCN
 * @param now The moment to measure from
 * @param toleranceMs How far ahead is fine, in milliseconds
 * @throws {HotplugError} code `scn`: not an SCN
 */
export function isFutureScn(
  scn: Scn,
  now: Date = new Date(),
  toleranceMs: number = DEFAULT_FUTURE_TOLERANCE_MS,
): boolean {
  return scnToDate(scn).getTime() - now.getTime() > toleranceMs;
}

/** The time in milliseconds; nothing if the number is no second of the calendar. */
function timeOf(scn: number): number | undefined {
  if (!Number.isSafeInteger(scn) || scn < FIRST || scn > LAST) return undefined;
  const two = (divisor: number): number => Math.floor(scn / divisor) % 100;
  const [year, month, day] = [Math.floor(scn / 1e10), two(1e8), two(1e6)];
  const [hour, minute, second] = [two(1e4), two(1e2), two(1)];
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  return date.getUTCDate() === day ? date.getTime() : undefined;
}

function notAnScn(value: unknown): HotplugError {
  const text = String(value);
  const why = SHAPE.test(text)
    ? "there is no such second in the calendar"
    : "it takes exactly 14 digits as YYYYMMDDHHMMSS";
  return new HotplugError(
    "scn",
    `Cannot read ${quote(value)} as an SCN: ${why} (UTC, as 20261123014512)`,
  );
}
