import { lstatSync } from "node:fs";
import {
  HotplugError,
  type InfoFile,
  type KeySource,
  parsePublicKeys,
  sha256Stream,
} from "../../artifact/mod.ts";
import { locate, type Location } from "./locate.ts";
import { readArtifact, refuseUnfinished } from "./read_artifact.ts";
import { readRegularPieces } from "./read_file.ts";
import { readSignedInfo } from "./read_info.ts";

/** An artifact that is whole, and signed by a trusted key. */
export interface VerifiedArtifact {
  /** Its absolute path. */
  readonly path: string;
  /** What its info file says: all of it was signed. */
  readonly info: InfoFile;
  /** The ids of the trusted keys that signed it, sorted. */
  readonly signedBy: readonly string[];
}

/** As much as a module may have: what a host takes is the host's to say. */
const MAX_SIZE = 2 ** 31;

/**
 * Checks an artifact as a host with trust keys does before it loads it; nothing of it runs.
 *
 * Its build must have ended, a trusted key must have signed its info file, and size and SHA-256 of
 * file and content must be those that were signed. The module inside of an executable can't be
 * looked at: of that, the file itself is checked.
 *
 * @example
 * ```ts
 * import { build } from "@hotplug/hotplug/builder";
 * import { verifyArtifact } from "@hotplug/hotplug/manager";
 * import { generateKeyPair } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${folder}/greeting.ts`, "export const greet = () => 'hello';");
 * const { id, privateKey, publicKey } = await generateKeyPair();
 * const { artifacts: [artifact] } = await build({
 *   source: `${folder}/greeting.ts`,
 *   dest: `${folder}/plugins`,
 *   sign: privateKey,
 * });
 * const { signedBy } = await verifyArtifact(artifact?.path ?? "", { trust: publicKey });
 * assertEquals(signedBy, [id]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param pathOrUrl A path, or a `file:` URL
 * @throws {HotplugError} `signature`: not signed by a trusted key, or not what was signed;
 * `integrity`: not the bytes that were signed; `incomplete`: its build has not ended; `name`, `info`,
 * `io`: it can't be read as an artifact; `key`: one of the keys is none
 */
export async function verifyArtifact(
  pathOrUrl: string | URL,
  options: { readonly trust: KeySource | readonly KeySource[] },
): Promise<VerifiedArtifact> {
  const trust = parsePublicKeys(options.trust);
  const location = locate(pathOrUrl);
  refuseMissing(location);
  refuseUnfinished(location);
  const { info, signedBy } = await readSignedInfo(location, trust);
  if (location.parts.mode === "module") {
    const read = await readArtifact(location, { maxSize: MAX_SIZE, requireInfo: true, trust });
    return { path: location.path, info: read.info ?? info, signedBy: read.signedBy };
  }
  await checkExecutable(location, info);
  return { path: location.path, info, signedBy };
}

/** Said first: of what is not there, no signature is missing. */
function refuseMissing({ path }: Location): void {
  if (lstatSync(path, { throwIfNoEntry: false })) return;
  throw new HotplugError("io", `Cannot read "${path}": there is no such file`);
}

async function checkExecutable(location: Location, { artifact }: InfoFile): Promise<void> {
  const { size, sha256 } = await sha256Stream(readRegularPieces(location.path));
  if (size === artifact.size && sha256 === artifact.sha256) return;
  throw new HotplugError(
    "integrity",
    `Cannot open "${location.file}": it has ${size} bytes of SHA-256 ${sha256}, its info file says ` +
      `${artifact.size} of ${artifact.sha256}; publish it again`,
  );
}
