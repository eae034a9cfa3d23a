import { AsyncLocalStorage } from "node:async_hooks";
import process from "node:process";
import type { ErrorCode, Scn } from "../../artifact/mod.ts";
import { type ContextEntry, contextEntry } from "./context_entry.ts";

/** What is worth knowing, and no failure: permissions were cut down, a crashed process runs again. */
export type Note = "permissions" | "restarted";

/** What a plugin did when nobody waited for it; inline it would have ended the process. */
export interface Incident {
  /** A late error that nobody caught, an exit call, a crash, … */
  readonly code: ErrorCode | Note;
  /** What happened, as a sentence. */
  readonly message: string;
  /** What was thrown; undefined for an exit call. */
  readonly error?: unknown;
}

/** One generation as the guards see it: how to know its code, and whom to tell. */
export interface PluginScope {
  /** The plugin's name. */
  readonly name: string;
  /** The generation's sequence change number. */
  readonly scn: Scn;
  /** URL prefix of every frame of its code. */
  readonly directoryUrl: string;
  /** Told of what it did. */
  report(incident: Incident): void;
}

/** What runs outside of every plugin, once somebody guards. */
const HOST = Symbol("host");

const current = new AsyncLocalStorage<PluginScope | typeof HOST>();
const scopes = new Map<string, PluginScope>();
/** Keeps the spans of traces, in async contexts too; not so before Deno 2.9. */
const traces: { active(): unknown } | undefined = Deno.telemetry?.contextManager;
const noTrace = traces?.active();
/** The name as it is at run time: a bundler may have changed it. */
const ENTRY = new RegExp(`^\\s+at (?:\\S+\\.)?${enterPlugin.name} \\(`);
let isKept = false;
let watched = 0;
let exitCode: typeof process.exitCode;

/** Counts those who guard, up or down; without, scopes cost nothing. */
export function countGuards(change: 1 | -1): void {
  watched += change;
  // Deno does not restore an empty context for a socket's events, but leaves the last one, which may
  // be a plugin's: so the host's is not empty.
  if (change > 0 && current.getStore() === undefined) current.enterWith(HOST);
}

/** Makes a generation's code known until {@linkcode forgetScope}. */
export function addScope(scope: PluginScope): void {
  scopes.set(scope.directoryUrl, scope);
}

/** Forgets a generation's code. */
export function forgetScope(scope: PluginScope): void {
  if (!isKept) scopes.delete(scope.directoryUrl);
}

/** Forgets no code any more. */
export function keepScopes(): void {
  isKept = true;
}

/** Calls a plugin's function so that what it starts, timers and promises included, is the scope's. */
export function runInScope<A extends unknown[], T>(
  scope: PluginScope,
  fn: (...args: A) => T,
  ...args: A
): T {
  return watched > 0 ? current.run(scope, enterPlugin<A, T>, fn, undefined, args) : fn(...args);
}

/** As {@linkcode runInScope}, for a method of an object of the plugin's. */
export function runMethodInScope<A extends unknown[], T>(
  scope: PluginScope,
  self: object,
  method: (...args: A) => T,
  ...args: A
): T {
  return watched > 0
    ? current.run(scope, enterPlugin<A, T>, method, self, args)
    : method.apply(self, args);
}

/** Calls a method of an object of a plugin's. */
export type MethodCall = <A extends unknown[], T>(
  self: object,
  method: (...args: A) => T,
  ...args: A
) => T;

/**
 * As {@linkcode runMethodInScope}, for calls that come often: the plugin sees nothing of the caller's
 * async context, unless a span of a trace is under way in it.
 */
export function detachedCall(scope: PluginScope): MethodCall {
  let enter: ContextEntry | undefined;
  return <A extends unknown[], T>(self: object, method: (...args: A) => T, ...args: A): T => {
    if (traces?.active() !== noTrace) return runMethodInScope(scope, self, method, ...args);
    // Whether somebody guards or not: what it sees does not depend on that.
    enter ??= contextEntry(current, scope);
    return enter(enterPlugin<A, T>, method, self, args);
  };
}

/**
 * Calls a plugin's function. That the call comes from here shows in a stack trace: then nothing of
 * the plugin is on it (`setTimeout(Deno.exit)`), and yet it is the plugin's doing.
 */
export function enterPlugin<A extends unknown[], T>(
  fn: (...args: A) => T,
  self: unknown,
  args: A,
): T {
  exitCode = process.exitCode;
  return fn.apply(self, args);
}

/** The process's exit code as it was before a plugin's code was last called. */
export function exitCodeAtEntry(): typeof process.exitCode {
  return exitCode;
}

/** Runs the function outside of any scope: what it starts is the host's. */
export function runOutside<T>(fn: () => T): T {
  return current.exit(fn);
}

/**
 * The scope that the running code was started from, if any.
 *
 * A hint only: Deno 2.9 lets the context of the last import leak into some of the host's callbacks
 * (see the reset in the import), so a stack trace, where there is one, is asked first.
 */
export function currentScope(): PluginScope | undefined {
  const store = current.getStore();
  return store === HOST ? undefined : store;
}

/**
 * Whose doing it is: that of the first frame with a file, whoever called it.
 *
 * Where there is no such frame, it is the fallback's.
 */
export function scopeOfFrames(
  frames: string,
  fallback: () => PluginScope | undefined,
): PluginScope | undefined {
  // Frames only: a message may quote a URL. The runtime's own frames are ext:, node: and native.
  for (const line of frames.split("\n")) {
    const url = /^\s+at .*?((?:file|https?|data|blob):[^\s)]+)/.exec(line)?.[1];
    if (url === undefined) continue;
    return ENTRY.test(line) ? fallback() : scopeOfUrl(url);
  }
  return fallback();
}

/** The scope that a function of the runtime is called by, where one of hotplug's is in its place. */
export function callingScope(place: (...args: never[]) => unknown): PluginScope | undefined {
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, place);
  return scopeOfFrames(trace.stack ?? "", currentScope);
}

/** The scope that the file belongs to: its own, before one that several have in common. */
export function scopeOfUrl(url: string): PluginScope | undefined {
  let found: PluginScope | undefined;
  for (const [directoryUrl, scope] of scopes) {
    if (!url.startsWith(directoryUrl)) continue;
    if (!found || found.directoryUrl.length < directoryUrl.length) found = scope;
  }
  return found;
}
