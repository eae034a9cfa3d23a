// Mapped to its build in JavaScript: the other one hands the text to WebAssembly through `Buffer`, which
// Deno 2.9 does number by number, one or two milliseconds of a swap.
import { init, parse, type ParseError } from "es-module-lexer";
import { HotplugError } from "./errors.ts";
import { isHook } from "./hooks.ts";

/** What a module gives and takes, read from its source without running it. */
export interface ModuleScan {
  /** Every name it exports, `default` included; sorted. */
  readonly exports: readonly string[];
  /** The exports that are no hooks; sorted. */
  readonly symbols: readonly string[];
  /** The exports that hotplug itself calls; sorted. */
  readonly hooks: readonly string[];
  /** What it imports: static specifiers, and dynamic ones that are literal; unique, sorted. */
  readonly imports: readonly string[];
  /** What it passes on whole, by `export * from`: names that only the other module knows. */
  readonly exportStars: readonly string[];
  /** Whether it has a dynamic import whose specifier is only known when it runs. */
  readonly computedImports: boolean;
}

/**
 * Reads a module's exports and imports. `import(name)` is no import here, and neither is
 * `import.meta`. A lexer, not a parser: only what breaks the module's outline is a syntax error.
 *
 * @example
 * ```ts
 * import { scanModule } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const { symbols, hooks, imports } = await scanModule(
 *   `import "node:fs"; export const quote = 1; export function activate() {}`,
 * );
 * assertEquals({ symbols, hooks, imports }, {
 *   symbols: ["quote"],
 *   hooks: ["activate"],
 *   imports: ["node:fs"],
 * });
 * ```
 *
 * @throws {HotplugError} code `load`: the source can't be read as a module
 */
export async function scanModule(source: string): Promise<ModuleScan> {
  await init();
  const [imports, exports] = lex(source);
  const names = sortedUnique(
    exports.flatMap((each) =>
      each.type === "reexport-all" ? [] : decodeName(each.name, source[each.start])
    ),
  );
  const computed = imports.filter((each) =>
    each.type === "dynamic" && (each.glob || each.specifier === undefined)
  );
  const literal = imports.filter((each) => !computed.includes(each));
  return {
    exports: names,
    symbols: names.filter((name) => !isHook(name)),
    hooks: names.filter(isHook),
    imports: sortedUnique(literal.flatMap((each) => each.specifier ?? [])),
    exportStars: sortedUnique(
      exports.flatMap((each) => each.type === "reexport-all" ? each.from : []),
    ),
    computedImports: computed.length > 0,
  };
}

/**
 * Asserts that no symbol is named `then`: `import()` would take the module for a promise, call it
 * and wait for ever.
 *
 * @throws {HotplugError} code `load`: one is
 */
export function assertNoThenSymbol(symbols: Iterable<string>): void {
  for (const symbol of symbols) {
    if (symbol !== "then") continue;
    throw new HotplugError(
      "load",
      `Cannot load a module with a symbol named "then": import() would take it for a promise ` +
        `and wait for ever; rename the export`,
    );
  }
}

function lex(source: string): ReturnType<typeof parse> {
  try {
    return parse(source);
  } catch (cause) {
    const { idx = 0 } = cause as Partial<ParseError>;
    const before = source.slice(0, idx).split("\n");
    const column = (before.at(-1) ?? "").length + 1;
    throw new HotplugError(
      "load",
      `Cannot read the source as a module: syntax error at line ${before.length}, column ${column}`,
      { cause },
    );
  }
}

// The lexer decodes names in quotes only; `export { x as \u0074hen }` is a `then` too.
function decodeName(name: string, firstUnit: string | undefined): string {
  if (firstUnit === '"' || firstUnit === "'") return name;
  return name.replace(
    /\\u(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{4}))/g,
    (escape, braced?: string, plain?: string) => {
      const point = parseInt(braced ?? plain ?? "", 16);
      return point <= 0x10ffff ? String.fromCodePoint(point) : escape;
    },
  );
}

function sortedUnique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
