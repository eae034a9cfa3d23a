import process from "node:process";
import { HotplugError } from "../artifact/mod.ts";
import { writeNow, writerLater } from "./stream_writer.ts";

/** Where a command writes to, and what it needs to know of that place. */
export interface Io {
  /**
   * Writes to standard output: results, for programs and people.
   *
   * @throws {HotplugError} `io` where that fails, as on a full disk; not where nobody reads.
   */
  readonly stdout: (text: string) => void;
  /** Writes to standard error: what went wrong, and what plugins print. Throws nothing. */
  readonly stderr: (text: string) => void;
  /**
   * The same for what goes on serving meanwhile: each resolves once it is written, however long nobody
   * reads. Without, `stdout` and `stderr` are used.
   */
  readonly later?: {
    readonly stdout: (text: string) => Promise<void>;
    readonly stderr: (text: string) => Promise<void>;
  };
  /** Whether standard output is a terminal, and colour is wanted. */
  readonly isTerminal: boolean;
  /** Whether what was written to standard error can be drawn anew: all is one terminal. */
  readonly canRedraw?: boolean;
  /** Calls the listener each time the process is told to read its configuration again (SIGHUP). */
  readonly onHangup?: (listener: () => void) => Disposable;
  /** Aborted when the command is to end. */
  readonly signal?: AbortSignal;
  /**
   * Whether the process ends with the command.
   *
   * @default {false}
   */
  readonly endsProcess?: boolean;
}

/** The streams of this process; once nobody reads its output, the command is to end. */
export function processIo(ending: AbortController): Io {
  const isTerminal = Deno.stdout.isTerminal() && !process.env.NO_COLOR;
  return {
    stdout: (text) => {
      try {
        if (!writeNow(1, text)) ending.abort();
      } catch (error) {
        throw cannotWrite(error);
      }
    },
    stderr: (text) => {
      try {
        writeNow(2, text);
      } catch {
        // There is no other place to tell it.
      }
    },
    later: laterIo(ending),
    isTerminal,
    canRedraw: isTerminal && canRedraw(),
    ...(Deno.build.os !== "windows" && { onHangup }),
    signal: ending.signal,
    endsProcess: true,
  };
}

function laterIo(ending: AbortController): Io["later"] {
  const [stdout, stderr] = [writerLater(Deno.stdout, 1), writerLater(Deno.stderr, 2)];
  return {
    stdout: async (text) => {
      const isRead = await stdout(text).catch((error) => {
        throw cannotWrite(error);
      });
      if (!isRead) ending.abort();
    },
    stderr: async (text) => void await stderr(text).catch(() => {}),
  };
}

function onHangup(listener: () => void): Disposable {
  Deno.addSignalListener("SIGHUP", listener);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", listener) };
}

/** A terminal that does not tell how wide it is breaks every line at its first letter. */
function canRedraw(): boolean {
  const wide = (process.stderr.columns ?? 0) >= MIN_COLUMNS;
  return Deno.stderr.isTerminal() && wide && process.env.TERM !== "dumb";
}

const MIN_COLUMNS = 20;

function cannotWrite(cause: unknown): HotplugError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HotplugError("io", `Cannot write the output: ${why}; what it said is lost`, { cause });
}
