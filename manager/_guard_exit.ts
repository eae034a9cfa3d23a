import process from "node:process";
import { HotplugError } from "../artifact/mod.ts";
import { currentScope, hasFrames, type PluginScope, scopeOfStack } from "./plugin_scope.ts";

type Exit = (code?: number) => never;

/** Turns exit calls of plugins into errors thrown at them; answers with how to stop. */
export function guardExit(): () => void {
  const undo = [
    // `process.exit` too, and not only what it ends in: it tells its listeners first.
    patch(process as { exit: Exit }, "process.exit"),
    patch(Deno as { exit: Exit }, "Deno.exit"),
  ];
  return () => undo.forEach((restore) => restore());
}

function patch(holder: { exit: Exit }, called: string): () => void {
  const original = holder.exit;
  let active = true;
  const guarded: Exit = (code) => {
    const scope = active ? exitingScope(guarded) : undefined;
    if (!scope) return original.call(holder, code);
    // An imported `exit` of node:process comes here by way of Deno.exit and has set this.
    (process as { _exiting?: boolean })._exiting = false;
    const message = `Plugin "${scope.name}" (SCN ${scope.scn}) called ${called}(${code ?? ""}); ` +
      "a plugin can't end its host";
    scope.report({ code: "exit", message });
    throw new HotplugError("exit", message);
  };
  holder.exit = guarded;
  return () => {
    active = false;
    // Someone may have wrapped it since: then it stays, and passes everything on.
    if (holder.exit === guarded) holder.exit = original;
  };
}

function exitingScope(below: Exit): PluginScope | undefined {
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, below);
  const stack = trace.stack ?? "";
  return hasFrames(stack) ? scopeOfStack(stack) : currentScope();
}
