import { type Entry, Uint8ArrayReader, ZipReader } from "@zip.js/zip.js";
import { mkdir, open, readFile, stat } from "node:fs/promises";
import { dirname, join } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import { throwIfCancelled } from "../cancel.ts";
import type { SourceBudget } from "./source_limits.ts";
import { checkEntryPath, isLeftOutOfArchive, PathRegister } from "./source_path.ts";
import { topFolder } from "./top_folder.ts";

const TYPE_BITS = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;
const MAX_ARCHIVE_BYTES = 512 * 1024 * 1024;

interface Planned {
  readonly path: string;
  readonly entry: Extract<Entry, { directory: false }>;
}

/**
 * Unpacks a `.zip` below `root`. Files that all sit in one top folder come out without it, as
 * people who zip a folder expect.
 *
 * @throws {HotplugError} With code `source`, if it is no sound archive of plain files below its own
 * folder, or passes a limit.
 */
export async function unpackZip(
  file: string,
  root: string,
  budget: SourceBudget,
  signal?: AbortSignal,
): Promise<void> {
  if ((await stat(file)).size > MAX_ARCHIVE_BYTES) {
    throw unreadable(file, `it is larger than ${MAX_ARCHIVE_BYTES} bytes`);
  }
  const bytes = await readFile(file);
  // Workers would outlive the build, and small archives are done before one has started.
  const reader = new ZipReader(new Uint8ArrayReader(bytes), {
    useWebWorkers: false,
    checkSignature: true,
    checkOverlappingEntry: true,
    // What two programs could read in two ways is refused.
    strictness: "strict",
    // Names are checked here, all of them, and refused by name.
    filenameValidation: "tolerant",
  });
  try {
    for (const { path, entry } of withoutTopFolder(await plan(file, reader, budget))) {
      throwIfCancelled(signal);
      await unpackEntry(file, join(root, path), path, entry, budget);
    }
  } finally {
    await reader.close();
  }
}

/** Looks at every entry before the first one is written: a bad archive leaves nothing behind. */
async function plan(
  file: string,
  reader: ZipReader<Uint8Array>,
  budget: SourceBudget,
): Promise<Planned[]> {
  const planned: Planned[] = [];
  const register = new PathRegister();
  try {
    for await (const entry of reader.getEntriesGenerator()) {
      budget.addEntry();
      const path = checkEntryPath(entry.filename);
      checkKind(path, entry);
      register.add(path, entry.directory);
      if (!entry.directory && !isLeftOutOfArchive(path)) planned.push({ path, entry });
    }
  } catch (cause) {
    if (cause instanceof HotplugError) throw cause;
    throw unreadable(file, reasonOf(cause), cause);
  }
  return planned;
}

function checkKind(path: string, entry: Entry): void {
  const kind = ((entry.externalFileAttributes >>> 16) & TYPE_BITS) || REGULAR;
  // Before it was decoded: the old code page has pictures in the place of control characters.
  const fault = entry.rawFilename.some((byte) => byte < 0x20 || byte === 0x7f)
    ? "its name holds a control character"
    : entry.encrypted
    ? "it is encrypted"
    : entry.symlink || kind === 0o120000
    ? "it is a symbolic link"
    : kind !== REGULAR && kind !== DIRECTORY
    ? "it is a device, a pipe or a socket"
    : undefined;
  if (fault === undefined) return;
  throw new HotplugError(
    "source",
    `Cannot unpack the entry ${quote(path)}: ${fault}; an archive may only hold plain files`,
  );
}

function withoutTopFolder(planned: readonly Planned[]): readonly Planned[] {
  const top = topFolder(planned.map(({ path }) => path));
  return planned.map(({ path, entry }) => ({ path: path.slice(top.length), entry }));
}

async function unpackEntry(
  file: string,
  target: string,
  path: string,
  entry: Planned["entry"],
  budget: SourceBudget,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await using output = await open(target, "wx");
  let written = 0;
  const sink = new WritableStream<Uint8Array>({
    async write(chunk) {
      // Counted here and not from the entry's own words: those may lie.
      written += chunk.byteLength;
      budget.addBytes(path, chunk.byteLength, written, entry.compressedSize);
      await output.writeFile(chunk);
    },
  });
  try {
    await entry.getData(sink);
  } catch (cause) {
    if (cause instanceof HotplugError) throw cause;
    throw unreadable(file, `its entry ${quote(path)}: ${reasonOf(cause)}`, cause);
  }
  if (written !== entry.uncompressedSize) {
    throw unreadable(
      file,
      `its entry ${quote(path)} holds ${written} bytes and claims ${entry.uncompressedSize}`,
    );
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function unreadable(file: string, why: string, cause?: unknown): HotplugError {
  return new HotplugError(
    "source",
    `Cannot read ${quote(file)} as a .zip: ${why}; make the archive anew`,
    { cause },
  );
}
