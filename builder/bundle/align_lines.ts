import { decode } from "@jridgewell/sourcemap-codec";
import { parse } from "acorn";

const HELPER = "__deno_internal_createRequire";
const FARTHEST = 40;
const SAMPLE = 400;

/**
 * Puts a source map right that `deno bundle` left behind a module that is not minified.
 *
 * With CommonJS inside, Deno replaces a helper at the top by a shorter one and leaves the map as it
 * was: all that follows is mapped some lines off. The helpers themselves are not mapped and come
 * first, so that one distance holds for all lines. It is the one at which the mapped positions are
 * beginnings of tokens.
 */
export function alignLines(code: string, text: string): string {
  if (!code.includes(HELPER)) return text;
  const map = JSON.parse(text) as { mappings: string };
  const positions = decode(map.mappings)
    .flatMap((segments, line) => segments.map(([column]) => ({ line, column })))
    .slice(0, SAMPLE);
  const distance = distanceOf(positions, tokensOf(code));
  const empty = /^;*/.exec(map.mappings)?.[0].length ?? 0;
  if (distance === 0 || -distance > empty) return text;
  const mappings = distance > 0
    ? ";".repeat(distance) + map.mappings
    : map.mappings.slice(-distance);
  return JSON.stringify({ ...map, mappings });
}

interface Position {
  readonly line: number;
  readonly column: number;
}

function distanceOf(positions: readonly Position[], tokens: ReadonlySet<string>): number {
  const hits = (distance: number) =>
    positions.filter(({ line, column }) => tokens.has(`${line + distance}:${column}`)).length;
  let best = { distance: 0, hits: hits(0) };
  for (let each = 1; each <= FARTHEST && best.hits < positions.length; each++) {
    for (const distance of [each, -each]) {
      const count = hits(distance);
      if (count > best.hits) best = { distance, hits: count };
    }
  }
  return best.distance;
}

/** Where tokens begin, as `LINE:COLUMN`, both from 0. */
function tokensOf(code: string): Set<string> {
  const tokens = new Set<string>();
  try {
    parse(code, {
      ecmaVersion: "latest",
      sourceType: "module",
      locations: true,
      onToken: ({ loc }) => {
        if (loc) tokens.add(`${loc.start.line - 1}:${loc.start.column}`);
      },
    });
  } catch {
    tokens.clear(); // newer syntax than acorn's: nothing to hold on to, the map stays
  }
  return tokens;
}
