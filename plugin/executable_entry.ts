import { HOST_TEXT } from "./_host_text.ts";
import { HOST_ARGUMENT } from "./protocol.ts";

/** The name of the file that an executable is compiled from; traces show it. */
export const EXECUTABLE_ENTRY: string = "plugin.mjs";

const START = "hotplug_start.mjs";
const HOST = "hotplug_host.mjs";
const GUEST = "hotplug_guest.mjs";

const MAP_LINK = /\n\/\/# sourceMappingURL=[^\n]*\s*$/;

/**
 * Makes the files that an executable is compiled from, by their names, out of a plugin's finished
 * module; {@linkcode EXECUTABLE_ENTRY} is the program.
 *
 * Run as it is, the plugin's module is the program itself: `import.meta.main` is true in it, and it has
 * the arguments, the exit code and the signals for itself. With {@linkcode HOST_ARGUMENT} as the
 * first argument the program never begins: what it imports last, and so runs before it, serves
 * the calls of a host to a second copy of the module, which is not the main one. Only the
 * link to the source map goes, since no map lies in an executable.
 *
 * @example
 * ```ts
 * import { EXECUTABLE_ENTRY, executableFiles } from "./executable_entry.ts";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 *
 * const module = "export const one = 1;\n//# sourceMappingURL=plugin.mjs.map\n";
 * const [[entry, program] = []] = executableFiles(module);
 * assertEquals(entry, EXECUTABLE_ENTRY);
 * assertStringIncludes(program ?? "", "export const one = 1;\n");
 * ```
 *
 * @param module The finished module, which leaves nothing but builtins to import
 */
export function executableFiles(module: string): ReadonlyMap<string, string> {
  const code = `${module.replace(MAP_LINK, "").trimEnd()}\n`;
  return new Map([
    // At the end: lines and columns of the plugin stay what they are.
    [EXECUTABLE_ENTRY, `${code}import "./${START}";\n`],
    [START, START_TEXT],
    [HOST, HOST_TEXT],
    [GUEST, code],
  ]);
}

const START_TEXT = `if (Deno.args[0] === ${JSON.stringify(HOST_ARGUMENT)}) {
  const { serveProcess } = await import("./${HOST}");
  await serveProcess(() => import("./${GUEST}"));
}
`;
