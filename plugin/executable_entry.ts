/** The name of the file that an executable is compiled from; traces show it. */
export const EXECUTABLE_ENTRY: string = "plugin.mjs";

const MAP_LINK = /\n\/\/# sourceMappingURL=[^\n]*\s*$/;

/**
 * Makes the text that an executable is compiled from, out of a plugin's finished module.
 *
 * The plugin's module is the program itself: `import.meta.main` is true in it, and it has the
 * arguments, the exit code and the signals for itself. Only the link to the source map goes, since
 * no map lies in an executable.
 *
 * @example
 * ```ts
 * import { executableEntry } from "./executable_entry.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const module = "export const one = 1;\n//# sourceMappingURL=plugin.mjs.map\n";
 * assertEquals(executableEntry(module), "export const one = 1;\n");
 * ```
 *
 * @param module The finished module, which leaves nothing but builtins to import
 */
export function executableEntry(module: string): string {
  return `${module.replace(MAP_LINK, "").trimEnd()}\n`;
}
