import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { UntarStream } from "@std/tar";

/**
 * Takes one file out of a `.tgz`; answers with how many bytes it has, or nothing if it is not in it.
 * What else the archive holds is not written anywhere.
 */
export async function untarFile(
  archive: string,
  path: string,
  to: string,
  mode: number,
): Promise<number | undefined> {
  const packed = Readable.toWeb(createReadStream(archive)) as ReadableStream<
    Uint8Array<ArrayBuffer>
  >;
  const entries = packed.pipeThrough(new DecompressionStream("gzip")).pipeThrough(
    new UntarStream(),
  );
  for await (const { path: name, readable } of entries) {
    if (name === path && readable !== undefined) return await save(readable, to, mode);
    await readable?.cancel();
  }
  return undefined;
}

async function save(
  content: ReadableStream<Uint8Array>,
  to: string,
  mode: number,
): Promise<number> {
  await using file = await open(to, "wx", mode);
  let [bytes, pending, size] = [0, [] as Uint8Array[], 0];
  const flush = async () => {
    await file.writev(pending);
    [pending, size] = [[], 0];
  };
  for await (const chunk of content) {
    bytes += chunk.byteLength;
    size += chunk.byteLength;
    // It comes in small pieces: one write each would take longer than all the rest.
    if (pending.push(chunk) >= 512 || size >= 1_048_576) await flush();
  }
  await flush();
  await file.sync();
  return bytes;
}
