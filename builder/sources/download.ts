import { open } from "node:fs/promises";
import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import { throwIfCancelled } from "../cancel.ts";
import { describeLocation } from "./source_location.ts";

/** What {@linkcode download} needs beside the address and the file. */
export interface DownloadOptions {
  /** The most bytes. */
  readonly maxBytes: number;
  /** The most time, in milliseconds. */
  readonly maxTime: number;
  /** Stops it. */
  readonly signal?: AbortSignal | undefined;
}

const MAX_REDIRECTS = 10;

/**
 * Downloads a file and answers with its size. What the server calls it (type, name, length) counts for nothing.
 *
 * @throws {HotplugError} With code `source`, if it does not come whole within the limits, or the
 * server leads to anything but `http(s)`, or from `https` to `http`; `cancelled` if the signal is
 * aborted.
 */
export async function download(
  url: URL,
  file: string,
  options: DownloadOptions,
  request: typeof fetch = fetch,
): Promise<number> {
  const { maxBytes, maxTime, signal } = options;
  throwIfCancelled(signal);
  const stop = new AbortController();
  const late = setTimeout(
    () => stop.abort(new Error(`it takes longer than ${maxTime} ms`)),
    maxTime,
  );
  const limit = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
  try {
    return await save(await follow(url, limit, request), file, maxBytes);
  } catch (cause) {
    throwIfCancelled(signal);
    throw failure(url, stop.signal.aborted ? stop.signal.reason : cause);
  } finally {
    clearTimeout(late);
    // Lets go of a body that was not read to its end.
    stop.abort();
  }
}

async function follow(url: URL, signal: AbortSignal, request: typeof fetch): Promise<Response> {
  let at = url;
  for (let count = 0; count <= MAX_REDIRECTS; count++) {
    const response = await request(at, { redirect: "manual", signal });
    const target = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || target === null) {
      if (response.ok) return response;
      throw new Error(`the server answers ${response.status}`);
    }
    await response.body?.cancel();
    const next = new URL(target, at);
    const fits = next.protocol === "https:" ||
      (next.protocol === "http:" && at.protocol === "http:");
    if (!fits) throw new Error(`it leads from ${at.protocol} to ${next.protocol}`);
    at = next;
  }
  throw new Error(`it leads on more than ${MAX_REDIRECTS} times`);
}

async function save(response: Response, file: string, maxBytes: number): Promise<number> {
  let bytes = 0;
  await using output = await open(file, "wx");
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    await output.writeFile(chunk);
  }
  return bytes;
}

function failure(url: URL, cause: unknown): HotplugError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HotplugError(
    "source",
    `Cannot download ${
      quote(describeLocation({ type: "url", url }))
    }: ${why}; check the address, ` +
      `or download it and give the file`,
    { cause },
  );
}
