import type { KeySource, Mode, Permissions, Scn, SigningKey, Target } from "../artifact/mod.ts";
import type { DefineValue } from "./define.ts";
import type { BuildLogger } from "./logger.ts";
import type { BuildProgress } from "./progress.ts";
import type { RemoteService } from "./protocol/remote_service.ts";
import type { SourceLimits } from "./sources/source_limits.ts";

/** What to build, from what, into where. */
export interface BuildOptions {
  /**
   * The source: a directory, a `.zip`, `.tar`, `.tar.gz` or `.tgz`, or one `.ts` or `.js` module, as
   * a path (`~` is the home folder) or as a `file:`, `http:` or `https:` URL; or a package, as
   * `npm:NAME@VERSION`.
   */
  readonly source: string | URL;
  /** The directory to publish into, as a path; made if it is not there. */
  readonly dest: string;
  /**
   * The plugin's name.
   *
   * @default the last part of the name in its `deno.json` or `package.json`, else what the file or
   * directory is called
   */
  readonly name?: string;
  /**
   * The entry module, relative to the source.
   *
   * @default `exports` of its `deno.json`, else `mod.ts`, `main.ts` or `index.ts`
   */
  readonly main?: string;
  /**
   * What to build: a module that hosts load, or an executable for each target, which is the plugin's
   * module as a program.
   *
   * @default {"module"}
   */
  readonly mode?: Mode;
  /**
   * The platforms to build for: words such as `linux/amd64`, or targets; `all` are the six platforms,
   * `host` is this one. What `Deno.build.os`, `.arch` and `.target` are is put into the module of a
   * platform, and what is dead with it goes.
   *
   * @default {["any"]} for modules, `["host"]` for executables
   */
  readonly targets?: readonly (string | Target)[];
  /**
   * Whether to compress the artifact.
   *
   * @default {false}
   */
  readonly gzip?: boolean;
  /**
   * The SCN, to give the builds of several machines the same one.
   *
   * @default now, or one second after the newest of that name in the destination
   */
  readonly scn?: Scn;
  /**
   * Whether type errors fail the build.
   *
   * @default {true}
   */
  readonly check?: boolean;
  /**
   * Names that may stay to be imported although they may be missing where the plugin runs.
   *
   * @default {[]}
   */
  readonly optional?: readonly string[];
  /** The contract that a host must declare, as `pricing/2`. */
  readonly contract?: string;
  /**
   * The permissions that the plugin asks for where it runs in a process of its own. Those of an
   * executable are compiled into it: it has no others, and asks for none when it runs.
   */
  readonly permissions?: Permissions;
  /**
   * The private key to sign with, of Ed25519: PEM, JWK, or `{ id, key }`. The info file gets an
   * attestation, which hosts with trust keys ask for. A build service never gets it: what that made is
   * signed here.
   *
   * @default nothing is signed
   */
  readonly sign?: KeySource | SigningKey;
  /** Cancels the build: what it started is ended, what it made is removed. */
  readonly signal?: AbortSignal;
  /**
   * How far ahead of now an SCN may lie, in milliseconds.
   *
   * @default {600_000}
   */
  readonly futureTolerance?: number;
  /**
   * Further source trees, by the bare specifier that the plugin imports each by: directories, archives
   * or modules, written as `source` is. Each is read by its own `deno.json`.
   *
   * @default {{}}
   */
  readonly deps?: Readonly<Record<string, string | URL>>;
  /**
   * The hosts that `http:` and `https:` imports may come from, as `example.com` or
   * `example.com:8080`. The registry of `jsr:` imports is always allowed.
   *
   * @default {[]}
   */
  readonly allowImport?: readonly string[];
  /**
   * Whether a build fails that would change the `deno.lock` of the source.
   *
   * @default {false}
   */
  readonly frozen?: boolean;
  /**
   * Whether the hooks (`activate`, `health`, …) that a package exports are kept. Its author did not
   * have hotplug in mind: what is called like one is left out. A source of another kind keeps its.
   *
   * @default {false}
   */
  readonly hooks?: boolean;
  /** How much the source, and each of `deps`, may hold. */
  readonly limits?: SourceLimits;
  /**
   * Constants, by the global name that each takes the place of, as `VERSION` or `app.mode`. The source
   * says `declare const VERSION: string` of one; what is dead with them goes.
   *
   * @default {{}}
   */
  readonly define?: Readonly<Record<string, DefineValue>>;
  /**
   * Whether to leave out of the module what only people read.
   *
   * @default {true}
   */
  readonly minify?: boolean;
  /**
   * Whether a module has a source map beside it, by which traces show the plugin's own files and
   * lines.
   *
   * @default {true}
   */
  readonly sourcemap?: boolean;
  /**
   * The Deno that builds, as a path or a name on the search path.
   *
   * @default {Deno.execPath()}
   */
  readonly deno?: string;
  /**
   * The version of Deno to build with and for, as `2.9.5`; 2.4.0 or newer. Another one than the one at
   * hand is fetched from the npm registry (by npm's configuration) and kept in `cacheDir`.
   *
   * @default that of `deno`
   */
  readonly denoVersion?: string;
  /**
   * Where the bases of executables come from: a directory, or a URL, laid out like Deno's own download
   * site (`release/vVERSION/denort-TRIPLE.zip`).
   *
   * @default Deno's own download, which Deno keeps in its cache
   */
  readonly denortMirror?: string | URL;
  /**
   * The directory for what is fetched: other Denos, and bases from a mirror. It may be removed at any
   * time.
   *
   * @default `hotplug` in the user's cache folder
   */
  readonly cacheDir?: string;
  /**
   * A build service that builds in the place of this machine, as its address, or with the token that
   * it asks for. The source is read here and sent there, the SCN is reserved and the artifacts are
   * published here, once they are what the service says they are. `deno`, `denortMirror`, `env` and
   * `allowImport` are for builds on this machine only.
   *
   * @default this machine builds
   */
  readonly remote?: string | URL | RemoteService;
  /**
   * Further arguments for Deno, each as one text, such as `--conditions=worker`. Only those are
   * passed on that change nothing of what a build promises; the others are refused with the reason.
   *
   * @default {[]}
   */
  readonly buildArgs?: readonly string[];
  /**
   * Variables for the child processes of the build, beyond those of this process. They are no part of
   * the artifact.
   *
   * @default {{}}
   */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Told in words what the build does, `console` for example.
   *
   * @default nobody is told
   */
  readonly logger?: BuildLogger;
  /** Called at the end of each step. */
  readonly onProgress?: (progress: BuildProgress) => void;
}
