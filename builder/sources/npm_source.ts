import { mkdir, writeFile } from "node:fs/promises";
import { join } from "@std/path";

/** The entry of a source that is a package. */
export const PACKAGE_ENTRY = "plugin.mjs";

/** Which of a package's exports its plugin has. */
export interface PackageExports {
  /** Whether all but the default export are passed on, whatever they are called. */
  readonly all: boolean;
  /** The names to pass on, `default` among them if it has one. */
  readonly names: readonly string[];
}

/**
 * Writes the entry that makes a plugin of a package: its exports become the plugin's.
 *
 * Deno resolves the package by the npm configuration, and checks its integrity.
 */
export async function writePackageEntry(
  root: string,
  specifier: string,
  { all, names }: PackageExports,
): Promise<void> {
  const from = JSON.stringify(specifier);
  const lines = [
    ...(all ? [`export * from ${from};`] : []),
    ...(names.length === 0 ? [] : [`export { ${names.join(", ")} } from ${from};`]),
  ];
  await mkdir(root, { recursive: true });
  await writeFile(join(root, PACKAGE_ENTRY), `${lines.join("\n")}\n`);
}
