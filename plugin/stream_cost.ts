/** How much may be on the way before the reader has taken something, in units of cost. */
export const WINDOW = 16;

/** So many bytes, or characters, cost one unit. */
const UNIT = 64 * 1024;

/** What an item of a stream costs: both ends reckon the same. */
export function costOf(value: unknown): number {
  return Math.max(1, Math.ceil(sizeOf(value) / UNIT));
}

function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? value.byteLength : 0;
}
