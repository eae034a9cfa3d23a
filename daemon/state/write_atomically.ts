import { dirname } from "@std/path";

/**
 * Writes a file so that it is the old one or the new one at any moment, and the new one once this
 * resolves, come what may: a temporary file beside it, flushed, then renamed.
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const bytes = new TextEncoder().encode(text);
  try {
    await writeInPlaceOf(temporary, bytes);
    await Deno.rename(temporary, path);
  } catch (error) {
    // A full disk has no room for it.
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
  await flushFolder(dirname(path));
}

/** In place of what one that was killed has left; or of what is no file, at which a write might wait. */
async function writeInPlaceOf(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFlushed(path, bytes);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    await Deno.remove(path);
    await writeFlushed(path, bytes);
  }
}

/** Writes a file that was not there, and flushes it to the disk. */
export async function writeFlushed(
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  using file = await Deno.open(path, { createNew: true, write: true, mode: 0o600 });
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  await file.syncData();
}

/** Flushes which names a folder holds. */
export async function flushFolder(path: string): Promise<void> {
  // Windows opens no folders, and has no such notion.
  if (Deno.build.os === "windows") return;
  using folder = await Deno.open(path);
  await folder.sync();
}
