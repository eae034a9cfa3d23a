/**
 * What went wrong, as a stable word; each {@linkcode HotplugError} carries one.
 *
 * | code | meaning |
 * | --- | --- |
 * | `name` | not an artifact name, or not a plugin name |
 * | `scn` | not a sequence change number |
 * | `target` | not a platform hotplug knows |
 * | `version` | not a version as `MAJOR.MINOR.PATCH` |
 * | `info` | the info file can't be read as one |
 * | `outdated` | below the initial SCN, or not newer than what is loaded |
 * | `platform` | built for another os or arch |
 * | `runtime` | built for a Deno that this host's does not satisfy |
 * | `future` | its SCN lies further ahead than the tolerance |
 * | `integrity` | bytes, info file and file name don't agree |
 * | `incomplete` | not published to the end yet: lock, artifact or info file is missing |
 * | `conflict` | same name and SCN as one at hand, other content |
 * | `imports` | something is left to import that is not allowed |
 * | `contract` | asks for a contract that the host does not declare |
 * | `io` | a file could not be read or written |
 * | `limit` | larger than the limits allow |
 * | `syntax` | the module can't be compiled or linked |
 * | `load` | the module's top level threw |
 * | `deadline` | something did not end in its time |
 * | `activation` | `activate` threw or did not end in its time |
 * | `health` | `health` threw, answered false or did not end in its time |
 * | `quiesce` | `quiesce` threw or did not end in its time |
 * | `handover` | `handover` threw, did not end in its time, or gave what can't be copied |
 * | `resume` | `resume` threw or did not end in its time |
 * | `deactivation` | `deactivate` threw or did not end in its time |
 * | `held` | after a rollback, nothing up to the version rolled back is loaded |
 * | `frozen` | the plugin is frozen: nothing of it is loaded until it is thawed |
 * | `approval-required` | it asks for more than what is approved |
 * | `signature` | not signed by a trusted key, or not what was signed |
 * | `key` | not a key to sign or to verify with |
 * | `symbol` | the plugin has no such symbol, or it is no function |
 * | `busy` | more calls, or builds at a service, at a time than are allowed |
 * | `retired` | the generation is gone or stays down, or a stream of it was cut when its time was over |
 * | `crashed` | the process or worker of the plugin ended; the call may be tried again |
 * | `protocol` | the process of the plugin sent what is no message |
 * | `clone` | a value that can't be copied to where the plugin runs, or from there |
 * | `no-deno` | there is no Deno to run a process with |
 * | `not-found` | no such plugin, or none loaded yet |
 * | `unsupported` | a kind of artifact that this host can't run |
 * | `closed` | the manager, daemon or generation is closed |
 * | `uncaught` | a plugin's late error: nobody was there to catch it |
 * | `exit` | a plugin tried to end the process |
 * | `options` | an option is out of its range |
 * | `source` | the source can't be read or unpacked |
 * | `entry` | the source has no entry module |
 * | `check` | the source has type errors |
 * | `bundle` | the bundler failed |
 * | `lock` | the source's `deno.lock` would change, and must not |
 * | `toolchain` | a Deno to build with can't be had, or can't do what is asked |
 * | `compile` | an executable could not be compiled, or not for all targets |
 * | `reserve` | no SCN could be reserved in the destination |
 * | `publish` | the artifact could not be written into the destination |
 * | `cancelled` | the caller's signal was aborted |
 * | `remote` | a build service, or a daemon to control, can't be reached or does not do as it should |
 * | `unauthorized` | the token is missing or wrong, or the request comes from a web page |
 * | `listen` | an address can't be listened on |
 * | `watch` | a directory can't be watched |
 * | `state` | the state folder can't be used |
 * | `quarantined` | the process ended more than once as it was loaded |
 * | `memory` | the process has more memory than it should; nothing more is loaded |
 * | `config` | the configuration file can't be read as one |
 * | `forbidden` | the control of a daemon does not allow it, or the request comes from a web page |
 * | `call` | a plugin's symbol was called by the control, and threw |
 */
export type ErrorCode =
  | "name"
  | "scn"
  | "target"
  | "version"
  | "info"
  | "outdated"
  | "platform"
  | "runtime"
  | "future"
  | "integrity"
  | "incomplete"
  | "conflict"
  | "imports"
  | "contract"
  | "io"
  | "limit"
  | "syntax"
  | "load"
  | "deadline"
  | "activation"
  | "health"
  | "quiesce"
  | "handover"
  | "resume"
  | "deactivation"
  | "held"
  | "frozen"
  | "approval-required"
  | "signature"
  | "key"
  | "symbol"
  | "busy"
  | "retired"
  | "crashed"
  | "protocol"
  | "clone"
  | "no-deno"
  | "not-found"
  | "unsupported"
  | "closed"
  | "uncaught"
  | "exit"
  | "options"
  | "source"
  | "entry"
  | "check"
  | "bundle"
  | "lock"
  | "toolchain"
  | "compile"
  | "reserve"
  | "publish"
  | "cancelled"
  | "remote"
  | "unauthorized"
  | "listen"
  | "watch"
  | "state"
  | "quarantined"
  | "memory"
  | "config"
  | "forbidden"
  | "call";

/**
 * The base of every error that hotplug throws: branch on `code`, not on the message.
 *
 * @example
 * ```ts
 * import { HotplugError, parseScn } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * let code: string | undefined;
 * try {
 *   parseScn("20261399000000");
 * } catch (error) {
 *   if (error instanceof HotplugError) code = error.code;
 * }
 * assertEquals(code, "scn");
 * ```
 */
export class HotplugError extends Error {
  /** The class's name. */
  override name = "HotplugError";
  /** What went wrong, as a word that stays the same between versions. */
  readonly code: ErrorCode;

  /** Makes an error of the given code. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
