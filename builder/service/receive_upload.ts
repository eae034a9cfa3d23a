import { open } from "node:fs/promises";
import { HotplugError } from "../../artifact/mod.ts";

/** What {@linkcode receiveUpload} needs. */
export interface UploadRequest {
  /** The request. */
  readonly request: Request;
  /** The file to save its body in; made here. */
  readonly file: string;
  /** The most bytes that it may have. */
  readonly maxBytes: number;
  /** Stops it. */
  readonly signal: AbortSignal;
}

const MAX_DISCARDED = 256 * 1024 * 1024;
const MAX_DISCARD_MS = 5000;

/**
 * Saves the body of a request as it comes: no more of it is in memory than one piece.
 *
 * @throws {HotplugError} With code `limit`, if it is too large.
 */
export async function receiveUpload(upload: UploadRequest): Promise<void> {
  const { request, file, maxBytes, signal } = upload;
  const told = Number(request.headers.get("content-length") ?? 0);
  const reader = (request.body ?? new Blob().stream()).getReader();
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => {}); // it is looked at with each read
  const stop = (): void => stopped.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  await using output = await open(file, "wx", 0o600);
  try {
    signal.throwIfAborted();
    if (told > maxBytes) throw tooLarge(maxBytes);
    let bytes = 0;
    for (;;) {
      // A read that nothing comes for does not end by a cancel.
      const { done, value } = await Promise.race([reader.read(), stopped.promise]);
      if (done) break;
      bytes += value.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      await output.writeFile(value);
    }
  } catch (error) {
    // Who has not sent all yet is not listening for the answer.
    if (!signal.aborted) await discardRest(reader, stopped.promise);
    void reader.cancel(error).catch(() => {}); // who sends may be gone, or never end
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Reads on for a while, to nowhere. */
async function discardRest(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  stopped: Promise<never>,
): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, MAX_DISCARD_MS);
  try {
    await Promise.race([discard(reader), late, stopped]);
  } catch {
    /* nobody waits for the answer any more */
  } finally {
    clearTimeout(timer);
  }
}

async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    for (let bytes = 0; bytes < MAX_DISCARDED;) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.byteLength;
    }
  } catch { /* who sends is gone */ }
}

function tooLarge(maxBytes: number): HotplugError {
  return new HotplugError(
    "limit",
    `Cannot build: the request is larger than the ${maxBytes} bytes that the build service takes; ` +
      `leave out of the source what the plugin doesn't need`,
  );
}
