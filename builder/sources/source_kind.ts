import { open } from "node:fs/promises";
import { basename, extname } from "@std/path";

/** The form of a source that is one file. */
export type FileKind = "zip" | "tar" | "tar.gz" | "module";

/** The extensions of a source that is one module. */
export const MODULE_EXTENSIONS: readonly string[] = [".ts", ".mts", ".tsx", ".js", ".mjs", ".jsx"];

const ARCHIVE = /\.(?:zip|tar|tar\.gz|tgz)$/i;
const USTAR_AT = 257;

/**
 * Tells the form of a file by how it begins, and by its name where that tells nothing; undefined if
 * it is none of them.
 */
export async function fileKind(path: string, name: string): Promise<FileKind | undefined> {
  const head = new Uint8Array(USTAR_AT + 5);
  await using file = await open(path);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  return kindOfBytes(head.subarray(0, bytesRead)) ?? kindOfName(name);
}

/** A file's name without the extension that tells its form. */
export function stemOf(name: string): string {
  const base = basename(name);
  if (ARCHIVE.test(base)) return base.replace(ARCHIVE, "");
  return basename(base, extname(base));
}

function kindOfBytes(head: Uint8Array): FileKind | undefined {
  const begins = (at: number, ...bytes: number[]) =>
    bytes.every((byte, index) => head[at + index] === byte);
  if (begins(0, 0x50, 0x4b, 3, 4) || begins(0, 0x50, 0x4b, 5, 6)) return "zip";
  if (begins(0, 0x1f, 0x8b)) return "tar.gz";
  return begins(USTAR_AT, ...new TextEncoder().encode("ustar")) ? "tar" : undefined;
}

function kindOfName(name: string): FileKind | undefined {
  const extension = extname(name).toLowerCase();
  if (MODULE_EXTENSIONS.includes(extension)) return "module";
  switch (ARCHIVE.exec(name)?.[0].toLowerCase()) {
    case ".zip":
      return "zip";
    case ".tar":
      return "tar";
    case undefined:
      return undefined;
    default:
      return "tar.gz";
  }
}
