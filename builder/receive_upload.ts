import { open } from "node:fs/promises";
import { HotplugError } from "../artifact/mod.ts";

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

/**
 * Saves the body of a request as it comes: no more of it is in memory than one piece.
 *
 * @throws {HotplugError} With code `limit`, if it is too large.
 */
export async function receiveUpload(upload: UploadRequest): Promise<void> {
  const { request, file, maxBytes, signal } = upload;
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const reader = request.body?.getReader();
  if (reader === undefined) return;
  const stop = (): void => void reader.cancel(signal.reason).catch(() => {}); // the read tells it
  signal.addEventListener("abort", stop, { once: true });
  await using output = await open(file, "wx", 0o600);
  try {
    let bytes = 0;
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      bytes += read.value.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      await output.writeFile(read.value);
    }
    signal.throwIfAborted();
  } catch (error) {
    await reader.cancel(error).catch(() => {}); // who sends may be gone
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function tooLarge(maxBytes: number): HotplugError {
  return new HotplugError(
    "limit",
    `Cannot build: the request is larger than the ${maxBytes} bytes that the build service takes; ` +
      `leave out of the source what the plugin doesn't need`,
  );
}
