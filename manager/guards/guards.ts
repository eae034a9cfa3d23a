import { guardErrors } from "./_guard_errors.ts";
import { guardExit } from "./_guard_exit.ts";
import { guardListeners } from "./_guard_listeners.ts";
import { guardOsSignals } from "./_guard_os_signals.ts";
import { guardStreams } from "./_guard_streams.ts";
import { guardTimers } from "./_guard_timers.ts";
import { countGuards, keepScopes } from "./plugin_scope.ts";

let uninstall: (() => void)[] = [];
let users = 0;

/**
 * Keeps plugins from ending the process by accident, for as long as one of its users is there.
 *
 * Late throws, unhandled rejections and exit calls are traced to a generation by the first frame
 * of their stack, else by the async context that they were started in. What is not a plugin's
 * behaves as without guards. Not caught is what is thrown without a stack by a timer that was imported
 * from `node:timers`. They are no boundary: code that means harm gets around them, and
 * belongs into a process of its own.
 */
export function installGuards(): Disposable {
  if (users++ === 0) {
    const guards = [
      guardErrors,
      guardExit,
      guardTimers,
      guardListeners,
      guardOsSignals,
      guardStreams,
    ];
    uninstall = guards.map((guard) => guard());
  }
  countGuards(1);
  let installed = true;
  return {
    [Symbol.dispose](): void {
      if (!installed) return;
      installed = false;
      countGuards(-1);
      if (--users > 0) return;
      for (const undo of uninstall.splice(0).reverse()) undo();
    },
  };
}

/**
 * Keeps whoever is guarded by now guarded until the process ends: what plugins have left running goes on
 * while all the rest is put in order. Only for a process that ends next, since nothing of this is undone.
 */
export function guardToTheEnd(): void {
  if (users === 0) return;
  users++;
  keepScopes();
}

/** For so many turns after the end of their signals, plugins are guarded. */
const AFTERMATH_TURNS = 5;

/** Lets that come which the end of their signals makes plugins reject and throw: within a few turns. */
export async function passAftermath(): Promise<void> {
  for (let turn = 0; turn < AFTERMATH_TURNS; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
