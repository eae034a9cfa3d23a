import { describeError, stackOf } from "./describe_error.ts";
import {
  currentScope,
  hasFrames,
  type PluginScope,
  scopeOfStack,
  scopeOfUrl,
} from "./plugin_scope.ts";

/** Catches late throws and unhandled rejections of plugins; answers with how to stop. */
export function guardErrors(): () => void {
  const onError = (event: ErrorEvent): void => {
    const scope = scopeOfThrown(event.error) ?? scopeOfUrl(event.filename);
    if (!scope) return;
    event.preventDefault();
    reportUncaught(scope, "threw an error that nobody caught", event.error);
  };
  const onRejection = (event: PromiseRejectionEvent): void => {
    // The context is the rejected promise's own, so it may be asked where there is no stack.
    const scope = scopeOfThrown(event.reason) ??
      (hasFrames(stackOf(event.reason) ?? "") ? undefined : currentScope());
    if (!scope) return;
    event.preventDefault();
    reportUncaught(scope, "left a rejected promise unhandled", event.reason);
  };
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return () => {
    globalThis.removeEventListener("error", onError);
    globalThis.removeEventListener("unhandledrejection", onRejection);
  };
}

/** Tells of an error that would have ended the process. */
export function reportUncaught(scope: PluginScope, what: string, error: unknown): void {
  scope.report({
    code: "uncaught",
    message: `Plugin "${scope.name}" (SCN ${scope.scn}) ${what}: ${describeError(error)}`,
    error,
  });
}

function scopeOfThrown(thrown: unknown): PluginScope | undefined {
  const stack = stackOf(thrown);
  return stack === undefined ? undefined : scopeOfStack(stack);
}
