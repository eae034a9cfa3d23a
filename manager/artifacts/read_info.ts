import { lstatSync } from "node:fs";
import { join } from "@std/path";
import {
  HotplugError,
  type InfoFile,
  infoFileName,
  MAX_INFO_BYTES,
  type ParsedInfo,
  parseInfo,
  type PublicKey,
  type VerifiedInfo,
  verifyInfo,
} from "../../artifact/mod.ts";
import type { Location } from "./locate.ts";
import { readRegularFile } from "./read_file.ts";

/** Reads what the info file beside the artifact says; undefined where there is none. */
export async function readInfo(location: Location): Promise<InfoFile | undefined> {
  const bytes = await readInfoBytes(location);
  return bytes && agreeing(location, parseInfo(bytes, infoFileName(location.parts))).info;
}

/** Reads what one of the keys has signed of the info file beside the artifact, and nothing else. */
export async function readSignedInfo(
  location: Location,
  trust: readonly PublicKey[],
): Promise<VerifiedInfo> {
  const file = infoFileName(location.parts);
  const bytes = await readInfoBytes(location);
  if (bytes === undefined) {
    throw untrusted(
      location,
      `it has no info file "${file}", and so no signature, which is asked for; publish both, ` +
        "signed (hotplug build --sign)",
    );
  }
  try {
    return agreeing(location, await verifyInfo(bytes, trust, file));
  } catch (error) {
    if (!(error instanceof HotplugError) || error.code !== "signature") throw error;
    throw untrusted(location, error.message.replace(/^Cannot/, "cannot"), error);
  }
}

function untrusted({ file }: Location, why: string, cause?: Error): HotplugError {
  return new HotplugError("signature", `Cannot open "${file}": ${why}`, { cause });
}

/** Refuses the info file of another artifact. */
function agreeing<T extends ParsedInfo>(location: Location, parsed: T): T {
  const { file } = parsed.info.artifact;
  if (file === location.file) return parsed;
  throw new HotplugError(
    "integrity",
    `Cannot open "${location.file}": its info file is that of "${file}"; one stem has one ` +
      "artifact, remove the other",
  );
}

async function readInfoBytes(location: Location): Promise<Uint8Array | undefined> {
  const path = join(location.directory, infoFileName(location.parts));
  try {
    const bytes = await readRegularFile(path, MAX_INFO_BYTES, location.root);
    location.seen?.(infoFileName(location.parts), bytes);
    return bytes;
  } catch (error) {
    // A link to nowhere is an info file that is not there yet, not the lack of one.
    if (isNotFound(error) && !lstatSync(path, { throwIfNoEntry: false })) return undefined;
    throw error;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof HotplugError &&
    (error.cause as { code?: unknown } | undefined)?.code === "ENOENT";
}
