import { isBuiltin } from "node:module";
import { HotplugError, type ModuleScan } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import { findRequires } from "./find_requires.ts";

/** What a bundle still asks for when it runs. */
export interface Leftovers {
  /** Builtins, each with its `node:`; sorted. */
  readonly imports: readonly string[];
  /** What may be missing, as the caller said; sorted. */
  readonly optional: readonly string[];
}

/**
 * Lists what is left to import in a bundle, `require` calls included.
 *
 * @throws {HotplugError} With code `imports`, naming all that is no builtin and not in `optional`.
 */
export function findLeftovers(
  code: string,
  scan: Pick<ModuleScan, "imports">,
  optional: readonly string[],
): Leftovers {
  const imports = new Set<string>();
  const spared = new Set<string>();
  const refused = new Set<string>();
  const sort = (name: string, builtin: boolean) => {
    if (builtin) imports.add(name.startsWith("node:") ? name : `node:${name}`);
    else if (optional.includes(name)) spared.add(name);
    else refused.add(name);
  };
  // Only `require` knows builtins by their bare name; an import of one needs the `node:`.
  for (const name of scan.imports) sort(name, name.startsWith("node:") && isBuiltin(name));
  for (const name of findRequires(code)) sort(name, isBuiltin(name));
  if (refused.size > 0) throw refusal([...refused].sort());
  return { imports: [...imports].sort(), optional: [...spared].sort() };
}

function refusal(names: readonly string[]): HotplugError {
  const options = names.map((name) => `--optional ${name}`).join(" ");
  return new HotplugError(
    "imports",
    `Cannot build a module that stands alone: ${names.map(quote).join(", ")} ` +
      `${names.length === 1 ? "is" : "are"} left to import when it runs; import it from the ` +
      `source or as a package, or if the plugin does without, say so with ${options}`,
  );
}
