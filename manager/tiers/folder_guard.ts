import { lstatSync } from "node:fs";
import { dirname, fromFileUrl } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";

/**
 * Remembers whose a private folder is; answers with a check that it is so still.
 *
 * Systems clean their temporary folder up, and then anybody may make one of the same name there: what
 * is started again from it must be what was placed in it.
 */
export function guardFolder(directoryUrl: string, label: string): () => void {
  const folder = fromFileUrl(directoryUrl).replace(/[\\/]+$/, "");
  const paths = [dirname(folder), folder];
  const owner = lstatSync(folder).uid;
  return () => {
    const sound = paths.every((path) => {
      const found = lstatSync(path, { throwIfNoEntry: false });
      return found?.isDirectory() && found.uid === owner;
    });
    if (sound) return;
    throw new HotplugError(
      "io",
      `Cannot start ${label} again: its private folder "${folder}" is gone; load another version`,
    );
  };
}
