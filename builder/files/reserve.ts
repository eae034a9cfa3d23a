import { readdir } from "node:fs/promises";
import { join } from "@std/path";
import {
  HotplugError,
  isFutureScn,
  lockFileName,
  nextScn,
  parseLockFileName,
  type Scn,
  scnFromDate,
  tryParseArtifactName,
  tryParseInfoFileName,
} from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import { throwIfCancelled } from "../cancel.ts";
import { releaseLock, takeLock } from "./lock.ts";

const HELD_WAIT_MS = 10_000;
const HELD_POLL_MS = 25;

/** An SCN that is ours until it is disposed of: its lock lies in the destination. */
export interface Reservation extends AsyncDisposable {
  /** The SCN. */
  readonly scn: Scn;
}

/** What {@linkcode reserveScn} needs. */
export interface ReserveRequest {
  /** The destination, which is there. */
  readonly dest: string;
  /** The plugin's name. */
  readonly name: string;
  /** The SCN that the caller wants, whatever else is there. */
  readonly scn?: Scn | undefined;
  /** How far ahead of now an SCN may lie, in milliseconds. */
  readonly futureTolerance: number;
  /** Stops the wait for an SCN that somebody else holds. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reserves an SCN: the wanted one, else the later of now and the newest of that name in the
 * destination plus one second.
 *
 * @throws {HotplugError} With code `future`, if it would lie further ahead than the tolerance;
 * `reserve`, if no lock could be made.
 */
export async function reserveScn(
  request: ReserveRequest,
  clock: () => Date = () => new Date(),
): Promise<Reservation> {
  const { dest, name } = request;
  const scn = request.scn === undefined
    ? await reserveNext(request, clock)
    : await reserveWanted(request, request.scn, clock);
  return { scn, [Symbol.asyncDispose]: () => releaseLock(dest, name, scn) };
}

async function reserveNext(request: ReserveRequest, clock: () => Date): Promise<Scn> {
  const { dest, name, futureTolerance } = request;
  for (;;) {
    throwIfCancelled(request.signal);
    const newest = await newestScn(dest, name, "locks too");
    const now = clock();
    const today = scnFromDate(now);
    const scn = newest === undefined || newest.scn < today ? today : nextScn(newest.scn);
    if (isFutureScn(scn, now, futureTolerance)) {
      const file = newest?.file ?? "";
      throw future(`${quote(file)} lies there, take it away or set the clock right`, name, scn);
    }
    if (!await lock(dest, name, scn)) continue;
    // Another build may have come and gone with this SCN between the look and the lock.
    const after = await newestScn(dest, name, "artifacts");
    if (after === undefined || after.scn < scn) return scn;
    await releaseLock(dest, name, scn);
  }
}

async function reserveWanted(
  request: ReserveRequest,
  scn: Scn,
  clock: () => Date,
): Promise<Scn> {
  const { dest, name, signal, futureTolerance } = request;
  if (isFutureScn(scn, clock(), futureTolerance)) {
    throw future("choose an earlier one, or raise the tolerance", name, scn);
  }
  const deadline = performance.now() + HELD_WAIT_MS;
  while (!await lock(dest, name, scn)) {
    throwIfCancelled(signal);
    if (performance.now() > deadline) {
      throw new HotplugError(
        "reserve",
        `Cannot reserve the SCN ${scn} of ${quote(name)}: another build holds ` +
          `${quote(lockFileName(name, scn))}; wait for it, or choose another SCN`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, HELD_POLL_MS));
  }
  return scn;
}

async function lock(dest: string, name: string, scn: Scn): Promise<boolean> {
  try {
    return await takeLock(dest, name, scn);
  } catch (cause) {
    throw new HotplugError(
      "reserve",
      `Cannot make ${quote(join(dest, lockFileName(name, scn)))}: ${(cause as Error).message}; ` +
        `check that the folder can be written to`,
      { cause },
    );
  }
}

/** The newest SCN of that name, and the file that has it. */
async function newestScn(
  dest: string,
  name: string,
  among: "artifacts" | "locks too",
): Promise<{ scn: Scn; file: string } | undefined> {
  let newest: { scn: Scn; file: string } | undefined;
  for (const file of await readdir(dest)) {
    const found = tryParseInfoFileName(file) ?? tryParseArtifactName(file) ??
      (among === "locks too" ? parseLockFileName(file) : undefined);
    if (found?.name !== name) continue;
    if (newest === undefined || found.scn > newest.scn) newest = { scn: found.scn, file };
  }
  return newest;
}

function future(why: string, name: string, scn: Scn): HotplugError {
  return new HotplugError(
    "future",
    `Cannot reserve an SCN for ${quote(name)}: ${scn} would lie too far ahead of now; ${why}`,
  );
}
