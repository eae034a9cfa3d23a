import { parse } from "acorn";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// What `deno bundle` writes in the place of two of the bundler's helpers.
const REPLACEMENTS = ["__deno_internal_createRequire", "(1 ?"];
const FARTHEST = 2_000;
const SAMPLE = 400;

/**
 * Puts a source map right that `deno bundle` left behind its module.
 *
 * With CommonJS inside, Deno replaces two helpers at the top of the finished bundle and leaves the
 * map as it was: whatever follows on that line is mapped some columns off, to other lines and other
 * files. The helpers themselves are not mapped and come first, so that one distance holds for the
 * whole line. It is the one at which the mapped positions are beginnings of tokens, all of them.
 */
export function alignSourceMap(code: string, text: string): string {
  if (!REPLACEMENTS.some((each) => code.includes(each))) return text;
  const map = JSON.parse(text) as { mappings: string };
  const lines = map.mappings.split(";");
  const last = code.indexOf(";", Math.max(...REPLACEMENTS.map((each) => code.lastIndexOf(each))));
  const index = code.slice(0, last).split("\n").length - 1;
  const helpers = last - (code.lastIndexOf("\n", last) + 1);
  const columns = columnsOf(lines[index] ?? "");
  const distance = distanceOf(columns, tokenColumns(code, index, helpers));
  if (distance === 0) return text;
  lines[index] = moved(lines[index] ?? "", distance);
  return JSON.stringify({ ...map, mappings: lines.join(";") });
}

/** Where tokens begin on one line, from a column on. */
function tokenColumns(code: string, line: number, from: number): Set<number> {
  const columns = new Set<number>();
  try {
    parse(code, {
      ecmaVersion: "latest",
      sourceType: "module",
      locations: true,
      onToken: ({ loc }) => {
        if (loc?.start.line !== line + 1 || loc.start.column < from) return;
        columns.add(loc.start.column);
      },
    });
  } catch {
    columns.clear(); // newer syntax than acorn's: nothing to hold on to, the map stays
  }
  return columns;
}

function distanceOf(columns: readonly number[], tokens: ReadonlySet<number>): number {
  const sample = columns.slice(0, SAMPLE);
  const [first] = sample;
  if (first === undefined) return 0;
  const hits = (distance: number) =>
    sample.filter((column) => tokens.has(column + distance)).length;
  let best = { distance: 0, hits: hits(0) };
  for (const token of tokens) {
    const distance = token - first;
    if (best.hits === sample.length) break;
    if (Math.abs(distance) > FARTHEST) continue;
    const count = hits(distance);
    if (count > best.hits) best = { distance, hits: count };
  }
  return best.distance;
}

/** The generated columns of one line's segments. */
function columnsOf(line: string): number[] {
  const columns: number[] = [];
  let column = 0;
  for (const segment of line === "" ? [] : line.split(",")) {
    column += readNumber(segment).value;
    columns.push(column);
  }
  return columns;
}

/** Columns are told relative to the one before: to move the first moves the line. */
function moved(line: string, distance: number): string {
  const { value, length } = readNumber(line);
  return writeNumber(value + distance) + line.slice(length);
}

/** Reads the base 64 VLQ that a text begins with. */
function readNumber(text: string): { value: number; length: number } {
  let [bits, length, more] = [0, 0, true];
  while (more) {
    const digit = DIGITS.indexOf(text.charAt(length));
    bits += (digit & 31) * 2 ** (5 * length++);
    more = (digit & 32) !== 0 && length < text.length;
  }
  const value = Math.floor(bits / 2);
  return { value: bits % 2 === 1 ? -value : value, length };
}

function writeNumber(value: number): string {
  let bits = Math.abs(value) * 2 + (value < 0 ? 1 : 0);
  let text = "";
  do {
    const rest = Math.floor(bits / 32);
    text += DIGITS.charAt((bits % 32) + (rest > 0 ? 32 : 0));
    bits = rest;
  } while (bits > 0);
  return text;
}
