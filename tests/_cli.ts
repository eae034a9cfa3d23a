import { fromFileUrl, join } from "@std/path";
import { TextReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import type { DaemonEvent } from "../daemon/mod.ts";
import { collectEvents, type EventCollector } from "./_events.ts";
import type { ScriptResult } from "./_script.ts";

const ROOT = new URL("../", import.meta.url);
const MAIN = fromFileUrl(new URL("cli/main.ts", ROOT));

/** How long a process may take for anything, in milliseconds: long for a slow machine. */
export const PATIENCE = 30_000;

/** What starts the command, for whoever starts it otherwise than by {@linkcode spawnHotplug}. */
export const HOTPLUG: readonly string[] = [Deno.execPath(), "run", "-A", MAIN];

/** Starts the command in a process of its own, by a Deno with these flags. */
export function spawnHotplug(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Deno.ChildProcess {
  const [command = "", run = "", ...fixed] = HOTPLUG;
  return new Deno.Command(command, {
    args: [run, ...flags, ...fixed, ...args],
    env: { NO_COLOR: "", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the command to its end. */
export async function hotplug(...args: readonly string[]): Promise<ScriptResult> {
  const { code, stdout, stderr } = await spawnHotplug(args).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A running `hotplug daemon --json`; it is killed at the end of its scope if it still runs. */
export interface DaemonProcess extends AsyncDisposable {
  /** The id of the process. */
  readonly pid: number;
  /** What it has told. */
  readonly events: EventCollector<DaemonEvent>;
  /** Resolves when its standard error holds the text, to all that it holds. */
  printed(text: string): Promise<string>;
  /** Sends it a signal. */
  kill(signal: Deno.Signal): void;
  /** Its end, with all that it wrote; fails if that takes longer. */
  ended(limitMs?: number): Promise<ScriptResult>;
}

/** What makes a process put its temporary files into the folder. */
export function temporaryIn(folder: string): Record<string, string> {
  return { TMPDIR: folder, TEMP: folder, TMP: folder };
}

/**
 * Starts `hotplug daemon --json` with these arguments, by a Deno with these flags; its state goes with it
 * unless told where to.
 */
export function startDaemon(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): DaemonProcess {
  const stateHome = env.XDG_STATE_HOME === undefined
    ? Deno.makeTempDirSync({ prefix: "hotplug-test-state-" })
    : undefined;
  const child = spawnHotplug(["daemon", "--json", ...args], {
    ...(stateHome !== undefined && { XDG_STATE_HOME: stateHome, LOCALAPPDATA: stateHome }),
    ...env,
  }, flags);
  const listeners = new Set<(event: DaemonEvent) => void>();
  const events = collectEvents<DaemonEvent>({
    subscribe(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  });
  let lines = "";
  const stdout = readText(child.stdout, (text) => {
    const complete = (lines + text).split("\n");
    lines = complete.pop() ?? "";
    for (const line of complete) {
      // What is none is for a test to find in all that was written.
      if (!line.startsWith("{")) continue;
      for (const listener of [...listeners]) listener(JSON.parse(line));
    }
  });
  let seen = "";
  const looks = new Set<() => void>();
  const stderr = readText(child.stderr, (text) => {
    seen += text;
    for (const look of looks) look();
  });
  const result = Promise.all([child.status, stdout, stderr]).then(
    ([{ code }, stdout, stderr]) => ({ code, stdout, stderr }),
  );
  return {
    pid: child.pid,
    events,
    printed(text) {
      const { promise, resolve } = Promise.withResolvers<string>();
      const look = (): void => void (seen.includes(text) && resolve(seen));
      looks.add(look);
      look();
      const what = (): string => `it did not print "${text}", but "${seen}"`;
      return within(PATIENCE, promise, what).finally(() => looks.delete(look));
    },
    kill: (signal) => child.kill(signal),
    ended: (limitMs = PATIENCE) => within(limitMs, result, () => "it did not end"),
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      await result;
      events[Symbol.dispose]();
      if (stateHome !== undefined) await Deno.remove(stateHome, { recursive: true });
    },
  };
}

/** Fails if the promise takes longer. */
export async function within<T>(
  limitMs: number,
  promise: Promise<T>,
  what: () => string,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Within ${limitMs} ms ${what()}`)),
    limitMs,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Zips the repository's example, which uses an npm package, each file changed as told. */
export async function zipPricing(
  path: string,
  change: (source: string) => string = (source) => source,
): Promise<void> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const file of ["deno.json", "mod.ts", "lib/discount.ts"]) {
    const text = await Deno.readTextFile(join(fromFileUrl(ROOT), "examples/pricing", file));
    await writer.add(file, new TextReader(change(text)));
  }
  await Deno.writeFile(path, await writer.close());
}

async function readText(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  each: (text: string) => void,
): Promise<string> {
  let all = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    all += text;
    each(text);
  }
  return all;
}
