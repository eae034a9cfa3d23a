import { basename } from "@std/path";
import { tryParseArtifactName } from "../../artifact/mod.ts";
import type { RetriedEvent } from "../events.ts";

/** The event that tells how the tries of a version have ended. */
export function retriedEvent(
  { path, scn, attempts, code }: Pick<RetriedEvent, "path" | "scn" | "attempts" | "code">,
  outcome: RetriedEvent["outcome"],
): RetriedEvent {
  const name = tryParseArtifactName(basename(path))?.name ?? "";
  const time = new Date().toISOString();
  return { type: "retried", time, name, scn, path, attempts, outcome, code };
}
