import { createHash } from "node:crypto";
import { type ArtifactFile, HotplugError } from "../../artifact/mod.ts";
import type { Location } from "./locate.ts";
import { readRegularPieces } from "./read_file.ts";

/** The largest executable that is run, in bytes after decompression (1 GiB). */
const MAX_EXECUTABLE_BYTES = 2 ** 30;

/**
 * Copies an executable to where it is run from, decompressed; it is hashed on the way, and never whole
 * in memory.
 *
 * @param destination A path where there is nothing yet.
 * @throws {HotplugError} `integrity` where size or SHA-256 are not those of its info file, or it is no
 * whole gzip file; `limit` where it is larger than 1 GiB; `io` where it can't be read or written.
 */
export async function copyExecutable(
  { path, file, parts, root }: Location,
  expected: ArtifactFile,
  destination: string,
): Promise<void> {
  const hash = createHash("sha256");
  let size = 0;
  async function* counted(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for await (const piece of readRegularPieces(path, root)) {
      hash.update(piece);
      size += piece.length;
      if (size > expected.size) break;
      yield new Uint8Array(piece);
    }
  }
  const source = ReadableStream.from(counted());
  const packed = parts.compression === "gzip";
  const content = packed ? source.pipeThrough(new DecompressionStream("gzip")) : source;
  let broken: unknown;
  try {
    await write(content, destination, file);
  } catch (error) {
    if (error instanceof HotplugError) throw error;
    broken = error;
  }
  // What does not agree is not the file that was published, and so the better reason.
  if (size !== expected.size || hash.digest("hex") !== expected.sha256) {
    throw new HotplugError(
      "integrity",
      `Cannot open "${file}": size or SHA-256 of the file are not what its info file says; publish it ` +
        "again",
    );
  }
  if (broken === undefined) return;
  throw new HotplugError(
    packed && !(broken instanceof Deno.errors.NotFound) ? "integrity" : "io",
    `Cannot open "${file}": it can't be copied to be run: ${(broken as Error).message}`,
    { cause: broken },
  );
}

async function write(
  content: ReadableStream<Uint8Array>,
  destination: string,
  file: string,
): Promise<void> {
  using target = await Deno.open(destination, { createNew: true, write: true, mode: 0o700 });
  let size = 0;
  for await (const piece of content) {
    size += piece.length;
    if (size > MAX_EXECUTABLE_BYTES) {
      throw new HotplugError(
        "limit",
        `Cannot open "${file}": it is larger than ${MAX_EXECUTABLE_BYTES} bytes`,
      );
    }
    for (let offset = 0; offset < piece.length;) {
      offset += await target.write(piece.subarray(offset));
    }
  }
}
