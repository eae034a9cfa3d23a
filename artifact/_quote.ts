const SHOWN = 80;

/**
 * Quotes a value for a message: one line of printable ASCII, cut after 80 characters. What isn't
 * ASCII is escaped, so that look-alike letters, direction marks and NUL show.
 */
export function quote(value: unknown): string {
  if (typeof value !== "string") return describe(value);
  const cut = value.length > SHOWN;
  const shown = JSON.stringify(cut ? value.slice(0, SHOWN) : value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return cut ? `${shown.slice(0, -1)}..." (${value.length} characters)` : shown;
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") {
    return String(value);
  }
  return Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}
