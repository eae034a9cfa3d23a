import type { Compression, Mode } from "./name.ts";
import type { Runtime } from "./runtime.ts";
import type { Scn } from "./scn.ts";

/** The kinds of permission that Deno has, in canonical order. */
export type PermissionKind = "env" | "ffi" | "import" | "net" | "read" | "run" | "sys" | "write";

/** The permissions that a plugin asks for: a list of what, or `true` for all of a kind. */
export type Permissions = { readonly [kind in PermissionKind]?: readonly string[] | true };

/** The file of an artifact. */
export interface ArtifactFile {
  /** Its name, without a folder. */
  readonly file: string;
  /** Its size in bytes, as it lies on disk. */
  readonly size: number;
  /** The SHA-256 of it, as 64 lower-case hex digits. */
  readonly sha256: string;
  /** How it is packed. */
  readonly compression: Compression;
}

/**
 * The module of an artifact: what its file unpacks to, which is the file itself if it isn't packed.
 *
 * Of an executable it is the module that was compiled into it. So two artifacts of one content run
 * the same code, whatever they are, and an executable's own bytes are those of `artifact`.
 */
export interface ArtifactContent {
  /** Its size in bytes. */
  readonly size: number;
  /** The SHA-256 of it, as 64 lower-case hex digits. */
  readonly sha256: string;
}

/** The source map beside a module. */
export interface SourceMapFile {
  /** Its name, without a folder: the artifact's stem and `.mjs.map`. */
  readonly file: string;
  /** The SHA-256 of it, as 64 lower-case hex digits. */
  readonly sha256: string;
}

/** What an artifact asks of its host. */
export interface Requirements {
  /** The contract that the host must declare, as `pricing/2`. */
  readonly contract?: string;
}

/** One signature of an attestation. */
export interface AttestationSignature {
  /** Which key it was made with. */
  readonly keyid: string;
  /** The signature, in base64. */
  readonly sig: string;
}

/** A DSSE envelope around an in-toto statement; carried as it is, not verified by the reader. */
export interface Attestation {
  /** What the payload is, as `application/vnd.in-toto+json`. */
  readonly payloadType: string;
  /** The statement, in base64. */
  readonly payload: string;
  /** The signatures of it. */
  readonly signatures: readonly AttestationSignature[];
}

/** What an info file says (format 1). */
export interface InfoFile {
  /** The format; a change that must be understood raises it. */
  readonly format: 1;
  /** The plugin's name. */
  readonly name: string;
  /** The sequence change number of the build. */
  readonly scn: Scn;
  /** What the artifact is. */
  readonly mode: Mode;
  /** What it was built for. */
  readonly runtime: Runtime;
  /** Its file. */
  readonly artifact: ArtifactFile;
  /** The module that the file unpacks to; of an executable, the one compiled into it. */
  readonly content: ArtifactContent;
  /** The source map of a module. */
  readonly sourceMap?: SourceMapFile;
  /** Its symbols: the exports that are no hooks. */
  readonly exports: readonly string[];
  /** The hooks it exports. */
  readonly hooks: readonly string[];
  /** What it leaves to the host to import: `node:` builtins. */
  readonly imports: readonly string[];
  /** What it would import if the host had it, and does without. */
  readonly optional: readonly string[];
  /** What it asks of its host. */
  readonly requires?: Requirements;
  /** The permissions it asks for; of an executable, those compiled into it. */
  readonly permissions?: Permissions;
  /** The source it was built from. */
  readonly source: {
    /** The SHA-256 of it, as 64 lower-case hex digits. */
    readonly sha256: string;
  };
  /** When it was built, as `2026-11-23T01:45:12.402Z`. */
  readonly builtAt: string;
  /** What it was built with, as `hotplug/0.1.0 deno/2.9.5`. */
  readonly builtWith: string;
  /** The signature over all of this. */
  readonly attestation?: Attestation;
}
