import { AsyncLocalStorage } from "node:async_hooks";
import type { Scn } from "../artifact/mod.ts";

/** What a plugin did that would have ended the process. */
export interface Incident {
  /** A late error that nobody caught, or an exit call. */
  readonly code: "uncaught" | "exit";
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

const current = new AsyncLocalStorage<PluginScope>();
const scopes = new Map<string, PluginScope>();
let watched = 0;

/** Whether anybody guards; without, scopes cost nothing. */
export function isGuarded(): boolean {
  return watched > 0;
}

/** Counts those who guard, up or down. */
export function countGuards(change: 1 | -1): void {
  watched += change;
}

/** Makes a generation's code known until {@linkcode forgetScope}. */
export function addScope(scope: PluginScope): void {
  scopes.set(scope.directoryUrl, scope);
}

/** Forgets a generation's code. */
export function forgetScope(scope: PluginScope): void {
  scopes.delete(scope.directoryUrl);
}

/** Runs the function so that what it starts, timers and promises included, belongs to the scope. */
export function runInScope<T>(scope: PluginScope, fn: () => T): T {
  return watched > 0 ? current.run(scope, fn) : fn();
}

/** The scope that the running code was started from, if any. */
export function currentScope(): PluginScope | undefined {
  return current.getStore();
}

/** The scope that a stack trace's first frame with a file lies in. */
export function scopeOfStack(stack: string): PluginScope | undefined {
  const url = firstUrl(stack);
  return url === undefined ? undefined : scopeOfUrl(url);
}

/** Whether the stack trace has a frame with a file at all: then the first one decides. */
export function hasFrames(stack: string): boolean {
  return firstUrl(stack) !== undefined;
}

/** The scope that the file belongs to. */
export function scopeOfUrl(url: string): PluginScope | undefined {
  for (const [directoryUrl, scope] of scopes) {
    if (url.startsWith(directoryUrl)) return scope;
  }
  return undefined;
}

function firstUrl(stack: string): string | undefined {
  // Frames only: a message may quote a URL. The runtime's own frames are ext:, node: and native.
  for (const line of stack.split("\n")) {
    const match = /^\s+at .*?((?:file|https?|data|blob):[^\s)]+)/.exec(line);
    if (match) return match[1];
  }
  return undefined;
}
