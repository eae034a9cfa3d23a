import { join } from "@std/path";
import { lockFileName } from "../artifact/mod.ts";
import {
  type DaemonEvent,
  type DaemonOptions,
  PluginDaemon,
  type RetriedEvent,
} from "../daemon/mod.ts";
import type { FailedEvent, LoadedEvent } from "../manager/mod.ts";
import { type ArtifactInit, writeArtifact, type WrittenArtifact } from "./_artifacts.ts";
import { collectEvents, type EventCollector } from "./_events.ts";
import { tempDirectory } from "./_temp.ts";

/** A daemon with short pauses, and all its events from the first on. */
export interface DaemonFixture extends AsyncDisposable {
  /** The daemon; not started. */
  readonly daemon: PluginDaemon;
  /** Its events. */
  readonly events: EventCollector<DaemonEvent>;
  /** Waits for the plugin, of that SCN if one is given, to be loaded. */
  loaded(name: string, scn?: number): Promise<LoadedEvent>;
  /** Waits for a failure with that code, of that SCN if one is given. */
  failed(code: FailedEvent["code"], scn?: number): Promise<FailedEvent>;
  /** Waits for the end of an artifact's retries. */
  retried(scn: number): Promise<RetriedEvent>;
}

/** Makes a daemon that is closed with its scope: `await using fixture = makeDaemon([path])`. */
export function makeDaemon(
  watch: readonly string[],
  options: Partial<DaemonOptions> = {},
): DaemonFixture {
  const daemon = new PluginDaemon({
    watch,
    bareSettle: 50,
    rootCheck: 25,
    retryMin: 25,
    // What a test waits for must come by an event, not by this timer.
    scanInterval: 60_000,
    ...options,
  });
  const events = collectEvents<DaemonEvent>(daemon);
  return {
    daemon,
    events,
    loaded: async (name, scn) =>
      await events.next((event) =>
        event.type === "loaded" && event.name === name && (scn ?? event.scn) === event.scn
      ) as LoadedEvent,
    failed: async (code, scn) =>
      await events.next((event) =>
        event.type === "failed" && event.code === code && (scn ?? event.scn) === event.scn
      ) as FailedEvent,
    retried: async (scn) =>
      await events.next((event) => event.type === "retried" && event.scn === scn) as RetriedEvent,
    [Symbol.asyncDispose]: () => daemon.close(),
  };
}

/** A started daemon on a folder of its own. */
export async function startDaemon(
  options: Partial<DaemonOptions> = {},
): Promise<DaemonFixture & { readonly path: string }> {
  const directory = await tempDirectory();
  const fixture = makeDaemon([directory.path], options);
  await fixture.daemon.start();
  return {
    ...fixture,
    path: directory.path,
    [Symbol.asyncDispose]: async () => {
      await fixture.daemon.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Writes an artifact as a build does: under a lock that goes at the end. */
export async function publish(
  directory: string,
  source: string,
  init: ArtifactInit = {},
): Promise<WrittenArtifact> {
  const lock = await takeLock(directory, init);
  const written = await writeArtifact(directory, source, init);
  await Deno.remove(lock);
  return written;
}

/** Makes the lock of a build; answers with its path. */
export async function takeLock(directory: string, init: ArtifactInit): Promise<string> {
  const path = join(directory, lockFileName(init.name ?? "pricing", init.scn ?? 20240101000000));
  await Deno.writeTextFile(path, "{}");
  return path;
}

/** Source of a module that answers with a value, and counts how often it was evaluated. */
export function counted(tag: string, answer: string | number): string {
  return `
    const counts = globalThis.evaluationsOfTests ??= {};
    counts["${tag}"] = (counts["${tag}"] ?? 0) + 1;
    export const answer = () => ${JSON.stringify(answer)};
  `;
}

/** How often a module of {@linkcode counted} with that tag was evaluated. */
export function evaluations(tag: string): number {
  const holder = globalThis as { evaluationsOfTests?: Record<string, number> };
  return holder.evaluationsOfTests?.[tag] ?? 0;
}

/** Fails loudly where a promise takes longer. */
export async function within<T>(
  milliseconds: number,
  what: string,
  promise: Promise<T>,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${what} took longer than ${milliseconds} ms`)),
    milliseconds,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A module whose top level does not settle while this is held. */
export interface Hang extends AsyncDisposable {
  /** Its source. */
  readonly source: string;
  /** Resolves once its top level runs. */
  readonly entered: Promise<void>;
}

let hangs = 0;

/**
 * Makes a module that hangs: `await using hang = makeHang()`.
 *
 * It settles in the end, since Deno fails a test file that leaves a top level unsettled.
 */
export function makeHang(): Hang {
  const key = `hangOfTests${++hangs}`;
  const holder = globalThis as Record<string, unknown>;
  const entered = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  holder[key] = () => {
    entered.resolve();
    return released.promise;
  };
  return {
    source: `await globalThis.${key}();\nexport const answer = () => "late";\n`,
    entered: entered.promise,
    [Symbol.asyncDispose]: async () => {
      released.resolve();
      // The module's own turns.
      await new Promise((resolve) => setTimeout(resolve, 0));
      delete holder[key];
    },
  };
}
