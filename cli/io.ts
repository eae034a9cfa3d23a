import { writeSync } from "node:fs";
import process from "node:process";

/** Where a command writes to, and what it needs to know of that place. */
export interface Io {
  /** Writes to standard output: results, for programs and people. */
  readonly stdout: (text: string) => void;
  /** Writes to standard error: what went wrong, and what plugins print. */
  readonly stderr: (text: string) => void;
  /** Whether standard output is a terminal, and colour is wanted. */
  readonly isTerminal: boolean;
  /** Aborted when the user wants the command to end. */
  readonly signal?: AbortSignal;
}

/** The streams of this process. */
export function processIo(signal?: AbortSignal): Io {
  return {
    stdout: (text) => writeAll(1, text),
    stderr: (text) => writeAll(2, text),
    isTerminal: Deno.stdout.isTerminal() && !process.env.NO_COLOR,
    ...(signal === undefined ? {} : { signal }),
  };
}

/** Written at once: nothing is lost when the process ends right after. */
function writeAll(fd: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.byteLength;) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === "EPIPE") return; // who reads has gone away: `| head` is no failure
      if (code !== "EAGAIN") throw error;
    }
  }
}
