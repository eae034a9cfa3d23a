import type { TarStreamEntry } from "@std/tar";
import { Pax } from "tar/pax";
import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";

/** What {@linkcode TarStreamEntry} has that is in use; tests put their own in its place. */
export type RawTarEntry = Pick<TarStreamEntry, "path" | "readable"> & {
  readonly header: Pick<TarStreamEntry["header"], "size" | "typeflag">;
};

/** A file or folder of a tar, with the name that its extended headers give it. */
export interface TarEntry {
  /** Its path, as the archive has it. */
  readonly path: string;
  /** How many bytes it claims. */
  readonly size: number;
  /** Its content; none for a folder. */
  readonly content?: ReadableStream<Uint8Array>;
}

interface Extension {
  readonly path?: string | undefined;
  readonly size?: number | undefined;
}

const MAX_EXTENSION_BYTES = 64 * 1024;

const REFUSED: Readonly<Record<string, string>> = {
  "1": "it is a hard link",
  "2": "it is a symbolic link",
  "3": "it is a device",
  "4": "it is a device",
  "6": "it is a pipe",
  S: "it is a sparse file",
  M: "it is a part of an archive in several volumes",
};

/**
 * Reads files and folders out of a tar's entries, extended headers (pax and GNU) resolved.
 *
 * @throws {HotplugError} With code `source`, for whatever is neither file nor folder, and for an
 * extended header that says something else than what follows it.
 */
export async function* readTarEntries(raw: AsyncIterable<RawTarEntry>): AsyncGenerator<TarEntry> {
  let extension: Extension | undefined;
  for await (const { path: own, header: { size, typeflag }, readable } of raw) {
    if (!Number.isSafeInteger(size) || size < 0) throw refusal(own, "its size is no number");
    if (typeflag === "x" || typeflag === "g" || typeflag === "L" || typeflag === "K") {
      const found = await readExtension(own, typeflag, size, readable);
      extension = typeflag === "g" ? extension : { ...extension, ...found };
      continue;
    }
    const path = extension?.path ?? own;
    if (extension?.size !== undefined && extension.size !== size) {
      throw refusal(path, "its two headers claim different sizes");
    }
    extension = undefined;
    if (typeflag === "5" || (typeflag === "0" && path.endsWith("/"))) {
      if (size > 0) throw refusal(path, "it is a folder that has content");
      await readable?.cancel();
      yield { path, size };
    } else if (readable !== undefined && (typeflag === "0" || typeflag === "7")) {
      yield { path, size, content: readable };
    } else {
      throw refusal(path, REFUSED[typeflag] ?? `its kind ${quote(typeflag)} is unknown`);
    }
  }
  if (extension !== undefined) throw refusal(extension.path ?? "", "nothing follows its header");
}

async function readExtension(
  path: string,
  typeflag: "x" | "g" | "L" | "K",
  size: number,
  readable: ReadableStream<Uint8Array> | undefined,
): Promise<Extension> {
  if (size > MAX_EXTENSION_BYTES) {
    throw refusal(path, `its extended header is larger than ${MAX_EXTENSION_BYTES} bytes`);
  }
  const text = await new Response(readable ?? null).text();
  if (typeflag === "L") return { path: text.split("\0", 1)[0] };
  // A link is refused by its own entry, whatever its target is called.
  if (typeflag === "K") return {};
  const { path: name, size: claimed } = Pax.parse(text);
  if (typeflag === "g" && (name !== undefined || claimed !== undefined)) {
    throw refusal(path, "it names or sizes all entries at once");
  }
  return {
    ...(name === undefined ? {} : { path: name }),
    ...(claimed === undefined ? {} : { size: claimed }),
  };
}

function refusal(path: string, why: string): HotplugError {
  return new HotplugError(
    "source",
    `Cannot unpack the entry ${quote(path.slice(0, 1024))}: ${why}; ` +
      `an archive may only hold plain files`,
  );
}
