import { type BuildLogger, type BuildOptions, describeProgress } from "../builder/mod.ts";
import type { Io } from "./io.ts";
import type { LiveProgress } from "./live_progress.ts";
import { printable } from "./printable.ts";

/** How much a build tells while it runs. */
export interface FollowFlags {
  /** Results as JSON, and nothing else. */
  readonly json?: true;
  /** Results only. */
  readonly quiet?: true;
  /** Each program that is run, too. */
  readonly verbose?: true;
  /** What is built. */
  readonly mode?: "module" | "executable";
}

/** The options of a build by which it tells how far it is. */
export type Following = Pick<BuildOptions, "logger" | "onProgress">;

/**
 * Runs a build and shows on standard error how far it is: drawn anew in its place on a terminal, as
 * plain lines elsewhere, and not at all where only results are wanted.
 */
export async function followBuild<T>(
  flags: FollowFlags,
  io: Io,
  build: (following: Following) => Promise<T>,
): Promise<T> {
  const { json, quiet, verbose, mode = "module" } = flags;
  if (!io.canRedraw || json || quiet || verbose) {
    return await build({ logger: lineLogger(flags, io) });
  }
  // Brought in when it is needed: it makes the command slower to start.
  const { liveProgress } = await import("./live_progress.ts");
  return await drawn(liveProgress(mode), io, build);
}

async function drawn<T>(
  live: LiveProgress,
  io: Io,
  build: (following: Following) => Promise<T>,
): Promise<T> {
  const warnings: string[] = [];
  const logger: BuildLogger = {
    debug() {},
    info() {},
    warn: (message) => void warnings.push(message),
  };
  let done = false;
  try {
    const result = await build({
      logger,
      onProgress(progress) {
        // Targets that failed are no reason to call those failed that are there.
        done ||= progress.type === "published";
        live.tell(progress, printable(describeProgress(progress)));
      },
    });
    done = true;
    return result;
  } finally {
    await live.end(!done);
    for (const message of warnings) io.stderr(`warning: ${printable(message)}\n`);
  }
}

function lineLogger({ json, quiet, verbose }: FollowFlags, io: Io): BuildLogger {
  const line = (text: string) => io.stderr(`${printable(text)}\n`);
  return {
    debug: (message) => void (verbose && line(message)),
    info: (message) => void (json || quiet || line(message)),
    warn: (message) => void (json || line(`warning: ${message}`)),
  };
}
