/** What is sorted by name. */
interface Named {
  /** The name; of a plugin it is ASCII, so that code units order it as anybody would. */
  readonly name: string;
}

/** Orders by name, for `sort`. */
export function byName(a: Named, b: Named): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
