import { HotplugError } from "../../artifact/mod.ts";

/** Twice what a thread opens before it runs anything. */
const SPARE = 12;

/**
 * Refuses where hardly a file can be opened any more: a thread that starts then takes the whole process
 * with it (Deno 2.9.5 panics). Nothing else of the process opens any until it has started.
 *
 * @throws {HotplugError} `io` where it is so.
 */
export function requireSpareFiles(path: string, label: string): void {
  const opened: Deno.FsFile[] = [];
  try {
    while (opened.length < SPARE) opened.push(Deno.openSync(path));
  } catch (cause) {
    throw new HotplugError(
      "io",
      `Cannot start ${label}: fewer than ${SPARE} more files can be opened; raise the limit ` +
        "(ulimit -n), or have fewer open",
      { cause },
    );
  } finally {
    for (const each of opened) each.close();
  }
}
