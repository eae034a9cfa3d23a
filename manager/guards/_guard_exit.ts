import process from "node:process";
import { HotplugError } from "../../artifact/mod.ts";
import { callingScope, exitCodeAtEntry, type PluginScope } from "./plugin_scope.ts";
import { putInPlace } from "./_replace.ts";

type Exit = (code?: number) => void;
type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

const exits = new WeakMap<object, PluginScope>();
/** What an imported `exit` was called with: by the time that Deno.exit is, it is forgotten. */
let asked: unknown;

/** Turns exit calls of plugins into errors thrown at them; answers with how to stop. */
export function guardExit(): () => void {
  const undo = [
    // `process.exit` too, and not only what it ends in: it tells its listeners first.
    patchExit(process, "exit", "process.exit"),
    patchExit(Deno, "exit", "Deno.exit"),
    // Ends what runs at the end of the turn, with 0 and without a word.
    patchExit(globalThis, "close", "close"),
    patchEmit(process as unknown as { emit: Emit }),
  ];
  return () => undo.forEach((restore) => restore());
}

/** The plugin whose exit call was answered with this error. */
export function scopeOfExit(thrown: unknown): PluginScope | undefined {
  return typeof thrown === "object" && thrown !== null ? exits.get(thrown) : undefined;
}

function patchExit<K extends "exit" | "close">(
  holder: Record<K, Exit>,
  key: K,
  called: string,
): () => void {
  const original = holder[key];
  let active = true;
  const guarded: Exit = (code) => {
    const scope = active ? callingScope(guarded) : undefined;
    if (!scope) return original.call(holder, code);
    // An imported `exit` of node:process comes here by way of Deno.exit and has set this.
    const state = process as { _exiting?: boolean };
    const given = state._exiting ? asked : code;
    state._exiting = false;
    const message =
      `Plugin "${scope.name}" (SCN ${scope.scn}) called ${called}(${textOf(given)}); ` +
      "a plugin can't end its host";
    scope.report({ code: "exit", message });
    const error = new HotplugError("exit", message);
    Error.captureStackTrace(error, guarded);
    exits.set(error, scope);
    throw error;
  };
  const restore = putInPlace(holder, key, guarded);
  return () => {
    active = false;
    restore();
  };
}

/**
 * An imported `exit` of node:process can't be replaced. Before it ends it sets the exit code, with
 * which the host would end later, and tells the listeners.
 */
function patchEmit(holder: { emit: Emit }): () => void {
  const original = holder.emit;
  let active = true;
  const guarded: Emit = function (this: unknown, event, ...args) {
    if (event === "exit" && active && callingScope(guarded)) {
      [asked] = args;
      process.exitCode = exitCodeAtEntry();
      return false;
    }
    return original.call(this, event, ...args);
  };
  const restore = putInPlace(holder, "emit", guarded);
  return () => {
    active = false;
    restore();
  };
}

/** As it would stand in the call: it may be anything. */
function textOf(code: unknown): string {
  const isPlain = typeof code === "number" || typeof code === "string";
  return isPlain || code === undefined || code === null ? String(code ?? "") : typeof code;
}
