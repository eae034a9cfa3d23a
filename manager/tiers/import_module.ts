import { HotplugError } from "../../artifact/mod.ts";
import { type Patience, withDeadline } from "../deadline.ts";
import { describeError } from "../describe_error.ts";
import { importUrl, type ModuleNamespace } from "./import_url.ts";
import { isCompileError } from "./is_compile_error.ts";
import { type PluginScope, runInScope } from "../guards/plugin_scope.ts";

/** After this time a module is held to wait in its top level, not to be loading, in milliseconds. */
const LOADING_GRACE = 250;

/**
 * So many imports go on at a time. Each waits for Deno's other threads now and then, and one that
 * follows uses that time; no more, since a deadline counts what others evaluate meanwhile.
 */
const LANES = 16;

let ordinals = 0;
const lanes = Array.from({ length: LANES }, (): Promise<void> => Promise.resolve());
let turns = 0;

/**
 * A number that no other load in this process has: it makes the URL new.
 *
 * Deno keeps a module, and its evaluation error, for good under its URL.
 */
export function nextOrdinal(): number {
  return ++ordinals;
}

/**
 * Imports the URL; a few imports at a time in this process, as far as they load.
 *
 * A top level that waits does not hold up the next import for longer than {@linkcode LOADING_GRACE}:
 * only the loading shares a lock in Deno.
 *
 * @throws {HotplugError} `load` or `syntax` with the module's own error as the cause,
 * `deadline`; the signal's reason.
 */
export async function importModule(
  url: string,
  file: string,
  scope: PluginScope,
  patience: Pick<Patience, "milliseconds" | "signal">,
): Promise<ModuleNamespace> {
  const turn = Promise.withResolvers<void>();
  const lane = turns++ % LANES;
  const before = lanes[lane];
  lanes[lane] = turn.promise;
  await before;
  const loading = runInScope(scope, importUrl, url);
  const grace = setTimeout(turn.resolve, LOADING_GRACE);
  loading.catch(() => {}).finally(() => {
    clearTimeout(grace);
    turn.resolve();
  });
  const late = (): Error =>
    new HotplugError(
      "deadline",
      `Cannot open "${file}": its top level did not end within ${patience.milliseconds} ms; ` +
        "do slow work in `activate`",
    );
  const failing = loading.catch((error) => {
    throw importError(error, file, scope);
  });
  return await withDeadline(failing, { ...patience, late });
}

/** What an import was rejected with, as a typed error: the module can't be compiled, or it threw. */
export function importError(
  error: unknown,
  file: string,
  scope: Pick<PluginScope, "directoryUrl">,
): HotplugError {
  const [code, what] = isCompileError(error, scope.directoryUrl)
    ? ["syntax", "it can't be compiled:"] as const
    : ["load", "its top level threw"] as const;
  return new HotplugError(code, `Cannot open "${file}": ${what} ${describeError(error)}`, {
    cause: error,
  });
}
