import { createReadStream } from "node:fs";
import { mkdir, open, rename, rmdir, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { dirname, join } from "@std/path";
import { UntarStream } from "@std/tar";
import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import { throwIfCancelled } from "../cancel.ts";
import type { SourceBudget } from "./source_limits.ts";
import { checkEntryPath, isLeftOutOfArchive, PathRegister } from "./source_path.ts";
import { readTarEntries, type TarEntry } from "./tar_entries.ts";
import { topFolder } from "./top_folder.ts";

/** What {@linkcode unpackTar} needs beside the file and the folder. */
export interface UnpackTarOptions {
  /** Whether the tar is compressed. */
  readonly gzip: boolean;
  /** What counts. */
  readonly budget: SourceBudget;
  /** Stops it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks a `.tar` or `.tar.gz` below `root`, which is not there yet. Files that all sit in one top
 * folder come out without it.
 *
 * @throws {HotplugError} With code `source`, if it is no sound archive of plain files below its own
 * folder, or passes a limit.
 */
export async function unpackTar(
  file: string,
  root: string,
  options: UnpackTarOptions,
): Promise<void> {
  const unpacked = `${root}.tar-content`;
  await mkdir(unpacked);
  const bytes = await bytesOf(file, options);
  const untar = new UntarStream();
  const stop = new AbortController();
  // Not cancelled when the reader of entries has seen enough: the rest is still to be checked.
  const piping = bytes.pipeTo(untar.writable, { preventCancel: true, signal: stop.signal })
    .catch(() => {});
  try {
    const written = await writeEntries(readTarEntries(untar.readable), unpacked, options);
    await piping;
    await drain(bytes);
    const top = topFolder(written);
    await rename(join(unpacked, top), root);
    if (top !== "") await rmdir(unpacked);
  } catch (cause) {
    if (cause instanceof HotplugError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const kind = options.gzip ? ".tar.gz" : ".tar";
    throw new HotplugError(
      "source",
      `Cannot read ${quote(file)} as a ${kind}: ${why}; make the archive anew`,
      { cause },
    );
  } finally {
    // Whatever went wrong: the file is let go of now, and not when memory is collected.
    stop.abort();
    await piping;
    await bytes.cancel().catch(() => {});
  }
}

async function bytesOf(
  file: string,
  { gzip, budget }: UnpackTarOptions,
): Promise<ReadableStream<Uint8Array>> {
  const { size } = await stat(file);
  const bytes = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array<ArrayBuffer>>;
  const plain = gzip ? bytes.pipeThrough(new DecompressionStream("gzip")) : bytes;
  return plain.pipeThrough(metered(budget, gzip ? size : undefined));
}

/** Reads to the end: that the bytes are the ones that were packed shows there only. */
async function drain(bytes: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

/** Headers and what is left out count as well: a bomb need not be a file. */
function metered(budget: SourceBudget, packed: number | undefined) {
  let passed = 0;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      budget.checkArchive(passed += chunk.byteLength, packed);
      controller.enqueue(chunk);
    },
  });
}

async function writeEntries(
  entries: AsyncIterable<TarEntry>,
  unpacked: string,
  { budget, signal }: UnpackTarOptions,
): Promise<string[]> {
  const register = new PathRegister();
  const written: string[] = [];
  for await (const entry of entries) {
    throwIfCancelled(signal);
    const { path, content } = nameOf(entry);
    if (path === "") continue;
    budget.addEntry();
    register.add(path, content === undefined);
    if (content === undefined) continue;
    if (isLeftOutOfArchive(path)) {
      await content.cancel();
      continue;
    }
    await writeFile(path, content, join(unpacked, path), budget);
    written.push(path);
  }
  return written;
}

/** `tar -C folder .` begins every name with `./`, and names the folder itself. */
function nameOf({ path, content }: TarEntry): { path: string; content: TarEntry["content"] } {
  const inside = path.replace(/^(?:\.\/)+/, "");
  const isTop = content === undefined && (inside === "" || inside === ".") && path !== "";
  return { path: isTop ? "" : checkEntryPath(inside), content };
}

async function writeFile(
  path: string,
  content: ReadableStream<Uint8Array>,
  target: string,
  budget: SourceBudget,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await using output = await open(target, "wx");
  let written = 0;
  for await (const chunk of content) {
    written += chunk.byteLength;
    budget.addBytes(path, chunk.byteLength, written);
    await output.writeFile(chunk);
  }
}
