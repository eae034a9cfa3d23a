import type { ErrorCode } from "../../artifact/mod.ts";

/**
 * So fails what was tried, not refused before; with whether that shows that it ends no process: what was given
 * up, or has ended its own, has not shown it.
 */
const TRIED: ReadonlyMap<ErrorCode, boolean> = new Map([
  ["syntax", true],
  ["load", true],
  ["activation", true],
  ["health", true],
  ["quiesce", true],
  ["handover", true],
  ["deadline", false],
  ["crashed", false],
]);

/** Whether what fails so was tried: the same bytes would fail so from anywhere. */
export function wasTried(code: ErrorCode): boolean {
  return TRIED.has(code);
}

/** Whether what fails so has shown that it ends no process. */
export function isHarmless(code: ErrorCode): boolean {
  return TRIED.get(code) === true;
}
