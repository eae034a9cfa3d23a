/**
 * Writes an object as one line of JSON. What JSON has no word for, as what holds itself, and what throws
 * when it is looked at is no reason to lose the line: it is written as text, or left out.
 */
export function jsonLine(value: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(value, replacer);
  } catch {
    return JSON.stringify(withTexts(value), replacer);
  }
}

/** The value as a person is shown it; what throws then is said to. */
export function inspected(value: unknown): string {
  try {
    return Deno.inspect(value);
  } catch {
    return "[it throws when it is looked at]";
  }
}

function replacer(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Error) return value.stack ?? value.message;
  return value;
}

/** What can't be written, as text: no deeper than it has to be. */
function withTexts(value: unknown, depth = 2): unknown {
  if (isWritable(value)) return value;
  try {
    if (depth === 0 || Array.isArray(value)) return inspected(value);
    const entries = Object.entries(value as object);
    return Object.fromEntries(entries.map(([key, each]) => [key, withTexts(each, depth - 1)]));
  } catch {
    return inspected(value);
  }
}

function isWritable(value: unknown): boolean {
  try {
    JSON.stringify(value, replacer);
    return true;
  } catch {
    return false;
  }
}
