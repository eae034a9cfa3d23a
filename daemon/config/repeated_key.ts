import { visit } from "jsonc-parser";

/** A name in a JSON text, and where it stands. */
export interface FoundKey {
  /** The name. */
  readonly name: string;
  /** How many characters are before it. */
  readonly offset: number;
}

/**
 * The first name that stands a second time in the same object of a JSON text; undefined where none does.
 * JSON allows for it, and whoever reads it takes the last: what was said before would be gone in silence.
 */
export function findRepeatedKey(text: string): FoundKey | undefined {
  const open: Set<string>[] = [];
  let found: FoundKey | undefined;
  visit(text, {
    onObjectBegin: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onObjectProperty: (name, offset) => {
      if (open.at(-1)?.has(name)) found ??= { name, offset };
      open.at(-1)?.add(name);
    },
  });
  return found;
}
