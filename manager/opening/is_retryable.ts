import type { ErrorCode } from "../../artifact/mod.ts";

/** What may go well the next time: the call, or its answer, was lost on the way. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set(["busy", "crashed"]);

/**
 * Tells whether a call that failed may be tried again: its process or worker has ended and is started
 * again (`crashed`), or there were too many at a time (`busy`).
 *
 * A call that was lost may have had its effect already: whether to repeat it is for who knows what it
 * does.
 *
 * @example
 * ```ts
 * import { isRetryable, type PluginManager } from "@hotplug/hotplug/manager";
 *
 * async function quote(manager: PluginManager, item: string): Promise<number> {
 *   const pricing = manager.use<{ quote(item: string): number }>("pricing");
 *   for (let attempt = 0;; attempt++) {
 *     try {
 *       return await pricing.quote(item);
 *     } catch (error) {
 *       if (!isRetryable(error) || attempt === 3) throw error;
 *       await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
 *     }
 *   }
 * }
 * ```
 */
export function isRetryable(error: unknown): boolean {
  // By code, not by class: the error may come from another copy of this package.
  return error instanceof Error && RETRYABLE.has((error as { code?: unknown }).code as ErrorCode);
}
