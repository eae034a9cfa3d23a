import { decode, encode } from "@jridgewell/sourcemap-codec";
import { parse } from "acorn";

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
  // Columns are told anew in each line: one line alone can be read and written.
  const [segments = []] = decode(lines[index] ?? "");
  const columns = segments.map(([column]) => column);
  const distance = distanceOf(columns, tokenColumns(code, index, helpers));
  if (distance === 0) return text;
  for (const segment of segments) segment[0] += distance;
  lines[index] = encode([segments]);
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
