import { isAbortReason } from "./abort_signal.ts";
import { describeError, framesOf } from "../describe_error.ts";
import { scopeOfExit } from "./_guard_exit.ts";
import { currentScope, type PluginScope, scopeOfFrames, scopeOfUrl } from "./plugin_scope.ts";

/** Catches late throws and unhandled rejections of plugins; answers with how to stop. */
export function guardErrors(): () => void {
  const onError = (event: ErrorEvent): void => {
    // Where the error has no stack, the event still knows the file. The context is that of the throw
    // only for what the runtime throws (a socket's error that nobody listens to) or makes throw (a
    // listener of an abort): after a timer it
    // is the one of whatever ran last.
    const fallback = (): PluginScope | undefined =>
      RUNTIME.test(event.filename) || isAbortReason(event.error)
        ? currentScope()
        : scopeOfUrl(event.filename);
    if (blame(event.error, THREW, fallback)) event.preventDefault();
  };
  const onRejection = (event: PromiseRejectionEvent): void => {
    // The context is the rejected promise's own, so it may be asked where there is no stack.
    if (blame(event.reason, REJECTED, currentScope)) event.preventDefault();
  };
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return () => {
    globalThis.removeEventListener("error", onError);
    globalThis.removeEventListener("unhandledrejection", onRejection);
  };
}

/** What a plugin did that threw late. */
export const THREW = "threw an error that nobody caught";
const RUNTIME = /^(?:ext|node):/;
const REJECTED = "left a rejected promise unhandled";

/**
 * Reports what would have ended the process, if it is a plugin's; answers with whether it is.
 *
 * The first frame decides; where there is none, the fallback does.
 */
export function blame(
  thrown: unknown,
  what: string,
  fallback: () => PluginScope | undefined,
): boolean {
  // An exit call was reported when it was made.
  if (scopeOfExit(thrown)) return true;
  const scope = scopeOfFrames(isAbortReason(thrown) ? "" : framesOf(thrown), fallback);
  scope?.report({
    code: "uncaught",
    message: `Plugin "${scope.name}" (SCN ${scope.scn}) ${what}: ${describeError(thrown)}`,
    error: thrown,
  });
  return scope !== undefined;
}
