import { readFile } from "node:fs/promises";
import { join } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { unlessMissing } from "../files/fs_error.ts";

/**
 * Reads what the lock file of a source pins, as a text to compare. What it notes of the workspace
 * is left out: the folders that `deps` bring along are not the source's.
 */
export async function readPins(
  root: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { lock } = settings;
  const path = typeof lock === "object" && lock !== null && "path" in lock ? lock.path : lock;
  const file = typeof path === "string" ? path : "deno.lock";
  const text = await unlessMissing(readFile(join(root, file), "utf8"), undefined);
  if (text === undefined) return "{}";
  try {
    const { workspace: _, version: __, ...pins } = JSON.parse(text) as Record<string, unknown>;
    return JSON.stringify(pins);
  } catch {
    return text; // Deno says what is wrong with it
  }
}

/** The error for a build that needs what the lock file does not hold. */
export function lockWouldChange(details: string): HotplugError {
  const changes = details.replace(/^[\s\S]*?changes:\n/, "").replace(/\n\s*\n[\s\S]*/, "");
  return new HotplugError(
    "lock",
    `Cannot build with --frozen: the deno.lock of the source would change; update it with ` +
      `"deno install" and keep it with the source, or build without --frozen\n${changes}`.trimEnd(),
  );
}
