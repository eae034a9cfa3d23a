/** What `import()` gives: the exports by their names. */
export type ModuleNamespace = Readonly<Record<string, unknown>>;

/**
 * Imports what is known only now: the one place where that is done.
 *
 * The URL is in a variable: a literal one would be loaded without a permission check.
 */
export function importUrl(url: string): Promise<ModuleNamespace> {
  return import(url);
}
