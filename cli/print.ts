import { HotplugError } from "../artifact/mod.ts";
import type { Io } from "./io.ts";
import { someTime } from "./some_time.ts";
import { unlessAborted } from "./until_aborted.ts";

/** How long who has been told to end still waits for who reads, in milliseconds. */
const PATIENCE = 1_000;

/**
 * Prints what a command that is done then has to say. Who reads it may be slow, or stand still: it is
 * waited for, but not when the command is told to end.
 *
 * @throws {HotplugError} `cancelled` where it ended before all was read; `io` where it can't be written.
 */
export async function print(
  text: string,
  io: Io,
  stream: "stdout" | "stderr" = "stdout",
): Promise<void> {
  const later = io.later?.[stream];
  if (!later) return io[stream](text);
  let isWritten = false;
  const written = later(text).then(() => void (isWritten = true));
  await unlessAborted(written, io.signal);
  if (!isWritten) await someTime(written, PATIENCE);
  if (!isWritten) throw new HotplugError("cancelled", "Ended before all that it said was read");
}
