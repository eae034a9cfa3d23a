import { formatTarget } from "../artifact/mod.ts";
import type { BuildProgress } from "./progress.ts";

/**
 * Says in a line for people how far a build is.
 *
 * @example
 * ```ts
 * import { describeProgress } from "@hotplug/hotplug/builder";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   describeProgress({ type: "bundled", bytes: 32_100, durationMs: 712 }),
 *   "bundled 32.1 kB in 0.71 s",
 * );
 * ```
 */
export function describeProgress(progress: BuildProgress): string {
  switch (progress.type) {
    case "fetched": {
      const { what, bytes, durationMs } = progress;
      return `fetched ${what}, ${formatBytes(bytes)} in ${seconds(durationMs)}`;
    }
    case "unpacked": {
      const { entries, bytes } = progress;
      return `unpacked ${entries} ${entries === 1 ? "entry" : "entries"}, ${formatBytes(bytes)}`;
    }
    case "bundled":
      return `bundled ${formatBytes(progress.bytes)} in ${seconds(progress.durationMs)}`;
    case "compiled": {
      const { target, bytes, durationMs } = progress;
      return `compiled ${formatTarget(target)}, ${formatBytes(bytes)} in ${seconds(durationMs)}`;
    }
    case "reserved":
      return `reserved the SCN ${progress.scn}`;
    case "published":
      return `published ${progress.path}`;
    default:
      return progress satisfies never;
  }
}

/** Writes a number of bytes as people read it: `812 B`, `32.1 kB`, `85.2 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
