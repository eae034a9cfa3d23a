import { Worker as NodeWorker } from "node:worker_threads";
import { PERMISSION_KINDS, type Permissions } from "../../artifact/mod.ts";
import type { WorkerHello } from "../../plugin/mod.ts";

/** A thread that runs a plugin, of whichever kind. */
export interface WorkerThread {
  /** Sends the first message. */
  greet(hello: WorkerHello): void;
  /** Ends it, unless it is busy: then only nothing is heard of it any more. */
  terminate(): void;
}

/** Told of the end of a thread, with why. */
export type OnThreadEnd = (why: string, error?: unknown) => void;

/** Starts a thread with a limit to its heap: past that it ends, and only it. */
export function startThread(url: string, heapLimit: number, onEnd: OnThreadEnd): WorkerThread {
  const worker = new NodeWorker(new URL(url), {
    resourceLimits: { maxOldGenerationSizeMb: heapLimit },
  });
  let error: Error | undefined;
  worker.on("error", (each: Error) => error = each);
  worker.on("exit", (code: number) => {
    if (error) onEnd(`ended: ${error.message}`, error);
    else onEnd(`ended by itself with code ${code}`);
  });
  return {
    greet: (hello) => worker.postMessage(hello, [hello.hotplug] as never),
    terminate: () => void worker.terminate(),
  };
}

/** Starts a thread with permissions of its own; it has no limit to its heap. */
export function startConfined(
  url: string,
  permissions: Permissions,
  onEnd: OnThreadEnd,
): WorkerThread {
  const own = Object.fromEntries(PERMISSION_KINDS.map((kind) => {
    const granted = permissions[kind];
    return [kind, granted === undefined ? false : granted === true ? true : [...granted]];
  }));
  const worker = new Worker(url, { type: "module", deno: { permissions: own } });
  worker.onerror = (event) => {
    event.preventDefault();
    onEnd(`ended: ${event.message}`, event.error);
  };
  return {
    greet: (hello) => worker.postMessage(hello, [hello.hotplug]),
    terminate: () => worker.terminate(),
  };
}
