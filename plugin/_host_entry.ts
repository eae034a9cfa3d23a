/**
 * What runs in a process or worker that hotplug has started: bundled into `_host_text.ts`.
 *
 * @module
 */

import { isMainThread, parentPort } from "node:worker_threads";
import { HOST_ARGUMENT } from "./protocol.ts";
import type { ImportModule } from "./serve_module.ts";
import { serveProcess } from "./serve_process.ts";
import { serveWorker, type WorkerHello } from "./serve_worker.ts";

export { serveProcess };

// The URL is in a variable: only so are the module's own imports checked against the permissions.
const importModule: ImportModule = (url) => import(url ?? "");

const scope = globalThis as unknown as {
  postMessage?: unknown;
  onmessage?: ((event: MessageEvent<WorkerHello>) => void) | null;
  self?: unknown;
};

if (!isMainThread && parentPort) {
  scope.self ??= globalThis;
  parentPort.once("message", ({ hotplug }: WorkerHello) => serveWorker(hotplug, importModule));
} else if (typeof scope.postMessage === "function") {
  scope.onmessage = ({ data }) => {
    scope.onmessage = null;
    serveWorker(data.hotplug, importModule);
  };
} else if (import.meta.main && Deno.args[0] === HOST_ARGUMENT) {
  serveProcess(importModule);
}
