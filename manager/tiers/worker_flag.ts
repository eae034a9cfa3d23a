import { fork } from "node:child_process";

let known: boolean | undefined;

/**
 * Whether this process runs with `--unstable-worker-options`, by a flag or its `deno.json`: without, a
 * worker with permissions of its own ends the process.
 *
 * Deno says so nowhere but in the arguments that it would start a copy of itself with. No copy
 * is started: its program does not exist. Without the permission to run something, the answer is no.
 */
export function hasWorkerOptions(): boolean {
  return known ??= ask();
}

function ask(): boolean {
  try {
    const none = fork("none", [], { execPath: "/nonexistent/hotplug", env: {}, silent: true });
    none.on("error", () => {});
    return none.spawnargs.includes("--unstable-worker-options");
  } catch {
    return false;
  }
}
