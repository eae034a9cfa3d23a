import { HotplugError, type ModuleScan, scanModule } from "../../artifact/mod.ts";

/** A package's name, and so nothing that is fetched or read: what an info file may call optional. */
const BARE = /^@?[^:./@][^:]*$/;

/**
 * What a module that imports something, or has a symbol named `then`, has in its text. No keyword can be
 * written with an escape, as a name can. To read on without need would be half of what a small one takes.
 */
const TELLING = /import|from|then|\\/;

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Refuses a module that leaves something to import but `node:` builtins and what it names optional.
 *
 * One import that waits for a network host would hold up every later import of the process, so it
 * must not get as far as `import()`.
 *
 * @throws {HotplugError} `imports` with a list of them, `syntax` for what is no text, or has a symbol
 * named `then`; for what is no module, too, where that is to be read to know what it imports.
 */
export async function checkLeftovers(
  content: Uint8Array,
  optional: readonly string[],
  file: string,
): Promise<void> {
  const source = decode(content, file);
  if (!TELLING.test(source)) return;
  const scan = await readModule(source, file);
  const leftovers = [...scan.imports, ...scan.exportStars]
    .filter((each) => !each.startsWith("node:"))
    .filter((each) => !(optional.includes(each) && BARE.test(each)));
  if (leftovers.length > 0) {
    throw new HotplugError(
      "imports",
      `Cannot open "${file}": it still imports ${[...new Set(leftovers)].join(", ")}; ` +
        "a module artifact brings all it needs but node: builtins, build it with hotplug",
    );
  }
  if (scan.symbols.includes("then")) {
    throw new HotplugError(
      "syntax",
      `Cannot open "${file}": it has a symbol named "then", so import() would take it for a ` +
        "promise and wait for ever; rename the export",
    );
  }
}

function decode(content: Uint8Array, file: string): string {
  try {
    return decoder.decode(content);
  } catch (cause) {
    throw new HotplugError("syntax", `Cannot open "${file}": it is no UTF-8 text`, { cause });
  }
}

async function readModule(source: string, file: string): Promise<ModuleScan> {
  try {
    return await scanModule(source);
  } catch (cause) {
    if (!(cause instanceof HotplugError)) throw cause;
    throw new HotplugError("syntax", `Cannot open "${file}": ${cause.message}`, { cause });
  }
}
