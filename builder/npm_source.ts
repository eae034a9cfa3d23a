import { mkdir, writeFile } from "node:fs/promises";
import { join } from "@std/path";

/** The entry of a source that is a package. */
export const PACKAGE_ENTRY = "plugin.mjs";

/** What a package's entry passes on. */
export interface PackageExports {
  /** Whether it has a default export. */
  readonly hasDefault: boolean;
  /** The names that only a run of it, or a look into its CommonJS, would tell. */
  readonly names?: readonly string[];
}

/**
 * Writes the entry that makes a plugin of a package: its exports become the plugin's.
 *
 * Deno resolves the package by the npm configuration, and checks its integrity.
 */
export async function writePackageEntry(
  root: string,
  specifier: string,
  { hasDefault, names = [] }: PackageExports,
): Promise<void> {
  const from = JSON.stringify(specifier);
  const listed = [...(hasDefault ? ["default"] : []), ...names];
  const lines = [
    `export * from ${from};`,
    ...(listed.length === 0 ? [] : [`export { ${listed.join(", ")} } from ${from};`]),
  ];
  await mkdir(root, { recursive: true });
  await writeFile(join(root, PACKAGE_ENTRY), `${lines.join("\n")}\n`);
}
