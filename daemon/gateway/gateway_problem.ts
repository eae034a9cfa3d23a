import { type ErrorCode, HotplugError } from "../../artifact/mod.ts";
import { isAskersFault } from "../../manager/askers_fault.ts";
import { ControlError, problemResponse } from "../control_problem.ts";

/** Nothing is served at that path. */
export function noPlugin(): Response {
  const message =
    "No plugin is served at this path; plugins are at /NAME/, NAME being the plugin's";
  return tell(404, "not-found", message);
}

/** The host that is asked for is rubbish. */
export function noHost(): Response {
  return tell(400, "options", "The request is for a host that there can't be; see its header Host");
}

/** There is such a plugin, and nothing of it is loaded. */
export function notLoaded(name: string): Response {
  return tell(503, "not-found", `Nothing of plugin "${name}" is loaded yet; try again`);
}

/** The gateway is being closed. */
export function closing(): Response {
  return tell(503, "closed", "The gateway is being closed", { connection: "close" });
}

/** Such requests don't get to where the plugin runs. */
export function onlyInline(name: string): Response {
  const message = `Plugin "${name}" runs in a worker or process of its own, where there are no ` +
    "WebSockets and other upgrades, and no CONNECT and TRACE";
  return tell(501, "unsupported", message);
}

/** What was asked is wrong in itself. */
export function brokenRequest(): Response {
  const message =
    "The body of the request broke off or is rubbish, or it asks for no WebSocket where there is one";
  return tell(400, "options", message);
}

/** The plugin had to answer before all of the request had come. */
function slowRequest(): Response {
  const message = "The request was still being sent as the plugin's time for its answer was over";
  return tell(408, "deadline", message);
}

function isLate(error: unknown): boolean {
  return error instanceof HotplugError && error.code === "deadline";
}

/** The answer of a plugin is one that can't be sent. */
export function badAnswer(): Response {
  return tell(502, "call", "The answer of the plugin can't be sent");
}

/**
 * Tells that a plugin has failed, and no more: what it threw is for the log, not for whoever asks.
 */
export function failedPlugin(name: string, error: unknown): Response {
  if (isAskersFault(error)) return isLate(error) ? slowRequest() : brokenRequest();
  const code = error instanceof HotplugError ? error.code : "call";
  switch (code) {
    case "symbol":
      return tell(404, code, `Plugin "${name}" answers no requests`);
    case "busy":
      return tell(503, code, `Plugin "${name}" has too many requests at a time; try again`);
    case "closed":
    case "retired":
      // A crash that it has come of: it is not started again, and asking again is no use.
      if (error instanceof HotplugError && error.cause instanceof HotplugError) {
        return tell(502, code, `Plugin "${name}" is down until another version comes`);
      }
      return tell(503, code, `Plugin "${name}" is being ended; try again`);
    case "deadline":
      return tell(504, code, `Plugin "${name}" did not answer in its time`);
    default:
      return tell(502, code, `Plugin "${name}" failed at the request`);
  }
}

function tell(
  status: number,
  code: ErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return problemResponse(new ControlError(status, code, message, headers));
}
