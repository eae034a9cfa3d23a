import { basename } from "@std/path";
import { HotplugError, tryParseArtifactName } from "../artifact/mod.ts";
import { describeError, stackOf } from "./describe_error.ts";
import { isFinal, type ManagerEvent, refusalType } from "./events.ts";
import type { Incident, Note } from "./guards/plugin_scope.ts";

/** Makes a typed error of whatever was thrown; a typed one stays itself. */
export function toHotplugError(error: unknown): HotplugError {
  if (error instanceof HotplugError) return error;
  // Not foreseen, so the message is all there is to go by.
  return new HotplugError("io", describeError(error), { cause: error });
}

/** The event that tells of an artifact that was not opened. */
export function refusalEvent(error: HotplugError, path: string): ManagerEvent {
  const parts = tryParseArtifactName(basename(path));
  const common = {
    time: new Date().toISOString(),
    code: error.code,
    message: error.message,
    ...(parts && { name: parts.name, scn: parts.scn }),
    path,
  };
  const type = refusalType(error.code);
  if (type !== "failed") return { type, ...common };
  const stack = isOurs(error.cause) ? undefined : stackOf(error.cause);
  return { type, ...common, final: isFinal(error.code), ...(stack !== undefined && { stack }) };
}

/** Whether this program itself found it, which is no place in a plugin; never throws, whatever it is. */
function isOurs(cause: unknown): boolean {
  try {
    return cause instanceof HotplugError;
  } catch {
    return false;
  }
}

/** The event that tells of what a plugin did when nobody waited for it. */
export function incidentEvent({ code, message, error }: Incident, path: string): ManagerEvent {
  if (code === "permissions" || code === "restarted") return noteEvent(code, message, path);
  return refusalEvent(new HotplugError(code, message, { cause: error }), path);
}

function noteEvent(type: Note, message: string, path: string): ManagerEvent {
  const parts = tryParseArtifactName(basename(path));
  const time = new Date().toISOString();
  return { type, time, message, ...(parts && { name: parts.name, scn: parts.scn }), path };
}
