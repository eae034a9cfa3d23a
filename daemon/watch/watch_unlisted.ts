import { type ChokidarOptions, FSWatcher } from "chokidar";

/**
 * Chokidar without its look at all that is in a folder first: that takes a stat for each file, 0.5 s for
 * 20 000, and leads to events that are ignored. What the system tells (`raw`) does not depend on it.
 */
class UnlistedWatcher extends FSWatcher {
  override createScanStream(): undefined {
    return undefined;
  }
}

/** Sets a watch, as chokidar does, without listing what is there. */
export function watchUnlisted(path: string, options: ChokidarOptions): FSWatcher {
  return new UnlistedWatcher(options).add(path);
}
