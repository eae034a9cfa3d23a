import type { PluginManager } from "../manager/mod.ts";

/** How often it is looked whether calls are still under way, in milliseconds. */
const LOOK = 20;

/**
 * Resolves once nobody holds a generation any more, or waits to, to true, or when the time is over, to false.
 */
export async function drained(
  manager: Pick<PluginManager, "isIdle">,
  milliseconds: number,
): Promise<boolean> {
  const end = performance.now() + milliseconds;
  for (;;) {
    if (manager.isIdle) return true;
    const left = end - performance.now();
    if (left <= 0) return false;
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK, left)));
  }
}
