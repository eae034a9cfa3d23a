import { join } from "@std/path";
import {
  ANY_TARGET,
  type ArtifactName,
  formatArtifactName,
  formatInfo,
  type InfoFile,
  infoFileName,
  type Permissions,
  scanModule,
  sha256,
  signInfo,
  type SigningKey,
  sourceMapFileName,
  type Target,
} from "../artifact/mod.ts";

/** An SCN that no clock takes for the future. */
export const SCN = 20240101000000;

/** What a hand-made module artifact is. */
export interface ArtifactInit {
  /** @default {"pricing"} */
  readonly name?: string;
  /** @default {SCN} */
  readonly scn?: number;
  /** The version of Deno in its name. @default {"2.0.0"} */
  readonly version?: string;
  /** @default {ANY_TARGET} */
  readonly target?: Target;
  /** @default {false} */
  readonly gzip?: boolean;
  /** The source map's text; only with an info file. */
  readonly sourceMap?: string;
  /** Whether it has an info file, and what differs in it. @default {true} */
  readonly info?: boolean | Partial<InfoFile>;
  /** Names that the info file lists as optional. */
  readonly optional?: readonly string[];
  /** What the info file requires. */
  readonly requires?: InfoFile["requires"];
  /** What the info file is signed with. */
  readonly sign?: SigningKey;
  /** The permissions that the info file asks for. */
  readonly permissions?: Permissions;
}

/** Where a hand-made artifact lies. */
export interface WrittenArtifact {
  /** The artifact's path. */
  readonly path: string;
  /** Its file name. */
  readonly file: string;
  /** What the name says. */
  readonly parts: ArtifactName;
  /** The path of its info file, whether there is one or not. */
  readonly infoPath: string;
  /** What its info file says, whether there is one or not. */
  readonly info: InfoFile;
}

/** Writes a module artifact as a build would: artifact first, info file last, no lock. */
export async function writeArtifact(
  directory: string,
  source: string | Uint8Array<ArrayBuffer>,
  init: ArtifactInit = {},
): Promise<WrittenArtifact> {
  const content = typeof source === "string" ? new TextEncoder().encode(source) : source;
  const bytes = init.gzip ? await gzip(content) : content;
  const parts: ArtifactName = {
    name: init.name ?? "pricing",
    scn: init.scn ?? SCN,
    version: init.version ?? "2.0.0",
    ...(init.target ?? ANY_TARGET),
    mode: "module",
    compression: init.gzip ? "gzip" : "none",
  };
  const file = formatArtifactName(parts);
  const plain = await describe(parts, content, bytes, init);
  const info = init.sign ? await signInfo(plain, init.sign) : plain;
  const written = {
    path: join(directory, file),
    file,
    parts,
    infoPath: join(directory, infoFileName(parts)),
    info,
  };
  await Deno.writeFile(written.path, bytes);
  if (info.sourceMap) {
    await Deno.writeTextFile(join(directory, info.sourceMap.file), init.sourceMap ?? "");
  }
  if (init.info !== false) {
    const differs = typeof init.info === "object" ? init.info : undefined;
    const text = differs ? JSON.stringify({ ...info, ...differs }) : formatInfo(info);
    await Deno.writeTextFile(written.infoPath, text);
  }
  return written;
}

/** Packs bytes with gzip. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

async function describe(
  parts: ArtifactName,
  content: Uint8Array,
  bytes: Uint8Array,
  init: ArtifactInit,
): Promise<InfoFile> {
  const { name, scn, mode, version, os, arch, compression } = parts;
  const { symbols, hooks, imports } = await scanOrNothing(content);
  return {
    format: 1,
    name,
    scn,
    mode,
    runtime: { version, os, arch },
    artifact: {
      file: formatArtifactName(parts),
      size: bytes.length,
      sha256: sha256(bytes),
      compression,
    },
    content: { size: content.length, sha256: sha256(content) },
    ...(init.sourceMap !== undefined && {
      sourceMap: { file: sourceMapFileName(parts), sha256: sha256(init.sourceMap) },
    }),
    exports: symbols,
    hooks,
    imports,
    optional: init.optional ?? [],
    ...(init.requires && { requires: init.requires }),
    ...(init.permissions && { permissions: init.permissions }),
    source: { sha256: sha256(content) },
    builtAt: "2024-01-01T00:00:00.000Z",
    builtWith: "tests",
  };
}

/** What can't be scanned is just what some tests are about. */
async function scanOrNothing(
  content: Uint8Array,
): Promise<Record<"symbols" | "hooks" | "imports", readonly string[]>> {
  try {
    return await scanModule(new TextDecoder().decode(content));
  } catch {
    return { symbols: [], hooks: [], imports: [] };
  }
}
