import { existsSync } from "node:fs";
import { join } from "@std/path";
import {
  HotplugError,
  type InfoFile,
  infoFileName,
  type PublicKey,
  sha256,
} from "../../artifact/mod.ts";
import { gunzip } from "./gunzip.ts";
import { type Location, lockPath } from "./locate.ts";
import { readRegularFile } from "./read_file.ts";
import { readInfo, readSignedInfo } from "./read_info.ts";

/** An artifact in memory, as far as it agrees with itself. */
export interface ReadArtifact {
  /** The module's source, decompressed; nothing for an executable, which is never whole in memory. */
  readonly content: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the content, in hex. */
  readonly sha256: string;
  /** The info file; undefined for a bare module. */
  readonly info: InfoFile | undefined;
  /** The ids of the trusted keys that signed it, sorted; none where no signature is asked for. */
  readonly signedBy: readonly string[];
  /** The source map's text, if there is one. */
  readonly sourceMap: Uint8Array<ArrayBuffer> | undefined;
}

/** What an artifact must come with. */
export interface ReadDemands {
  /** The most bytes that it may have, as a file and decompressed. */
  readonly maxSize: number;
  /** Whether it must have an info file. */
  readonly requireInfo: boolean;
  /** The keys of which one must have signed it; undefined where it need not be signed. */
  readonly trust?: readonly PublicKey[] | undefined;
}

/**
 * Reads artifact, info file and source map, each once, and checks that they agree: with trust keys,
 * with what one of these has signed.
 *
 * @throws {HotplugError} `incomplete` without a required info file, or for an empty file without one,
 * `signature` without a valid signature that is required, `io`, `limit`, `info` or `integrity`.
 */
export async function readArtifact(
  location: Location,
  limits: ReadDemands,
): Promise<ReadArtifact> {
  const signed = limits.trust && await readSignedInfo(location, limits.trust);
  const info = signed ? signed.info : await readInfo(location);
  if (!info && limits.requireInfo) {
    throw new HotplugError(
      "incomplete",
      `Cannot open "${location.file}": it has no info file "${infoFileName(location.parts)}", ` +
        "and this host takes no artifact without; publish both, the info file last",
    );
  }
  if (location.parts.mode === "executable") {
    return { ...describedExecutable(location, info), signedBy: signed?.signedBy ?? [] };
  }
  const bytes = await readRegularFile(location.path, limits.maxSize, location.root);
  location.seen?.(location.file, bytes);
  if (info) checkBytes(location, "artifact", bytes, info.artifact);
  const content = await decompress(location, bytes, limits.maxSize);
  if (info) checkContent(location, content, info);
  else refuseEmpty(location, content);
  return {
    content,
    sha256: info?.content.sha256 ?? sha256(content),
    info,
    signedBy: signed?.signedBy ?? [],
    sourceMap: await readSourceMap(location, info, limits.maxSize),
  };
}

/** Of an executable only the info file is read: it is too large for memory, and checked when copied. */
function describedExecutable(
  { file, parts }: Location,
  info: InfoFile | undefined,
): Omit<ReadArtifact, "signedBy"> {
  if (!info) {
    throw new HotplugError(
      "incomplete",
      `Cannot open "${file}": it is an executable without an info file "${infoFileName(parts)}"; ` +
        "publish both, the info file last",
    );
  }
  return { content: new Uint8Array(), sha256: info.content.sha256, info, sourceMap: undefined };
}

/** Refuses, with `incomplete`, an artifact whose build has not ended: to be asked before it is read. */
export function refuseUnfinished(location: Location): void {
  // Synchronous: answered from memory as a rule, and a thread's detour would take longer. Nothing is
  // there as a rule: a `stat` would make an error each time, which takes longer than to ask.
  if (existsSync(lockPath(location))) {
    throw new HotplugError(
      "incomplete",
      `Cannot open "${location.file}": its build has not ended, its lock is still there; ` +
        "wait, or let the next build into the folder sweep it",
    );
  }
}

/** A copy onto a full disk leaves it so, and no plugin: it would take the place of one that works. */
function refuseEmpty({ file }: Location, content: Uint8Array): void {
  if (content.length > 0) return;
  throw new HotplugError(
    "incomplete",
    `Cannot open "${file}": it is empty; see that there is space, and publish it again`,
  );
}

function decompress(
  location: Location,
  bytes: Uint8Array<ArrayBuffer>,
  maxSize: number,
): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  if (location.parts.compression === "none") return bytes;
  return gunzip(bytes, maxSize, location.file);
}

function checkContent(location: Location, content: Uint8Array<ArrayBuffer>, info: InfoFile): void {
  // The same bytes need no second digest.
  const same = info.artifact.compression === "none" &&
    info.artifact.sha256 === info.content.sha256 && info.artifact.size === info.content.size;
  if (!same) checkBytes(location, "content", content, info.content);
}

function checkBytes(
  location: Location,
  what: string,
  bytes: Uint8Array<ArrayBuffer>,
  expected: { readonly size: number; readonly sha256: string },
): void {
  if (bytes.length !== expected.size) {
    throw new HotplugError(
      "integrity",
      `Cannot open "${location.file}": its ${what} has ${bytes.length} bytes, its info file says ` +
        `${expected.size}; publish it again`,
    );
  }
  const digest = sha256(bytes);
  if (digest !== expected.sha256) {
    throw new HotplugError(
      "integrity",
      `Cannot open "${location.file}": the SHA-256 of its ${what} is ${digest}, its info file ` +
        `says ${expected.sha256}; publish it again`,
    );
  }
}

/** A source map only serves stack traces: one that is missing or wrong does not keep from loading. */
async function readSourceMap(
  location: Location,
  info: InfoFile | undefined,
  maxSize: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!info?.sourceMap) return undefined;
  try {
    const { file } = info.sourceMap;
    const bytes = await readRegularFile(join(location.directory, file), maxSize, location.root);
    if (sha256(bytes) !== info.sourceMap.sha256) return undefined;
    location.seen?.(file, bytes);
    return bytes;
  } catch (error) {
    if (error instanceof HotplugError) return undefined;
    throw error;
  }
}
