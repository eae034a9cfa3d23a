import type { Io } from "./io.ts";
import { printable } from "./printable.ts";

/** Prints what can be printed: a full disk is no reason to end what serves. */
export function lossy(io: Io): (text: string) => void {
  let failing = false;
  return (text) => {
    try {
      io.stdout(text);
      failing = false;
    } catch (error) {
      // Once, until it works again: a line for each would fill what is left.
      if (!failing) io.stderr(`error: ${printable((error as Error).message)}\n`);
      failing = true;
    }
  };
}
