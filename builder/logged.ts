import { basename } from "@std/path";
import type { BuildLogger } from "./logger.ts";
import type { CommandRunner } from "./run_command.ts";

/** What a Deno may say of itself that is no news. */
const NO_NEWS = /^\s*$|^Warning .* is experimental/;

/** Runs programs as `run` does, and tells a logger of each: what it was, and what it complained of. */
export function logged(run: CommandRunner, logger: BuildLogger): CommandRunner {
  return async (command, signal) => {
    const began = performance.now();
    const line = [basename(command.program), ...command.args].join(" ");
    const outcome = await run(command, signal);
    const took = `${(performance.now() - began).toFixed(0)} ms`;
    logger.debug(`ran ${line}: exit code ${outcome.code} in ${took}`);
    // What fails is told by the error that comes of it.
    if (outcome.code === 0) {
      for (const text of outcome.stderr.split("\n")) if (!NO_NEWS.test(text)) logger.warn(text);
    }
    return outcome;
  };
}
