import module from "node:module";

/** What has the parser ask, by trial; most statements do not. */
const NESTED = "if (a) b;";

let asked = false;

/**
 * Has Deno's parser ask now how large the stack of this thread is: it asks once, of a file, and where none
 * can be opened it takes the whole process with it (Deno 2.9.5 panics). Later that could be whenever open
 * files are used up: an import parses, and so does whoever asks an error for its stack, for want of the cache.
 */
export function readyParser(): void {
  if (asked) return;
  asked = true;
  try {
    module.stripTypeScriptTypes?.(NESTED);
  } catch { /* a Deno without it, as in compiled programs, parses nothing either */ }
}
