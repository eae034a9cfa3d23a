import { dirname, fromFileUrl } from "@std/path";
import vm from "node:vm";
import { HotplugError } from "../../artifact/mod.ts";
import { type Patience, withDeadline } from "../deadline.ts";
import { describeError } from "../describe_error.ts";
import { importUrl, type ModuleNamespace } from "./import_url.ts";
import { type PluginScope, runInScope } from "../guards/plugin_scope.ts";
import type { ReadArtifact } from "../artifacts/read_artifact.ts";
import type { StackMapper } from "./stack_mapper.ts";

/** What is evaluated. */
export interface ModuleRequest {
  /** Its verified bytes. */
  readonly artifact: ReadArtifact;
  /** The URL that its frames and its `import.meta.url` show. */
  readonly url: string;
  /** The artifact's file name. */
  readonly file: string;
  /** Its code as the guards know it. */
  readonly scope: PluginScope;
  /** Maps its traces. */
  readonly mapper: StackMapper;
  /** How long its top level may take. */
  readonly patience: Pick<Patience, "milliseconds" | "signal">;
}

/**
 * Refuses a module where this runtime has not what `loader: "reclaimable"` needs.
 *
 * @throws {HotplugError} `unsupported`
 */
export function refuseUnreclaimable(file: string): void {
  if (canReclaim()) return;
  throw new HotplugError(
    "unsupported",
    `Cannot open "${file}" with the loader "reclaimable": this Deno has no vm.SourceTextModule; use a ` +
      'newer one, or the loader "import"',
  );
}

/** Whether this runtime has what `loader: "reclaimable"` needs. */
export function canReclaim(): boolean {
  // Deno 2.4 has neither, whatever the types say.
  return typeof vm.SourceTextModule === "function" && typeof vm.SyntheticModule === "function";
}

/**
 * Evaluates a module whose memory V8 may give back once nobody holds it any more; whether that can be is
 * what {@linkcode refuseUnreclaimable} tells.
 *
 * @throws {HotplugError} `syntax` and `load` with the module's
 * own error as the cause, `deadline`; the signal's reason.
 */
export async function evaluateModule(request: ModuleRequest): Promise<ModuleNamespace> {
  const { file, patience, scope, mapper } = request;
  const module = await compile(request);
  const late = (): Error =>
    new HotplugError(
      "deadline",
      `Cannot open "${file}": its top level did not end within ${patience.milliseconds} ms; ` +
        "do slow work in `activate`",
    );
  const evaluating = (async () => await runInScope(scope, () => module.evaluate()))()
    .catch((cause) => {
      throw fault(request, "load", "its top level threw", mapper.map(cause));
    });
  await withDeadline(evaluating, { ...patience, late });
  return module.namespace as ModuleNamespace;
}

/** Its type is that of a number where it is used otherwise. */
const DEFAULT_LOADER = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER as unknown as undefined;

async function compile(request: ModuleRequest): Promise<vm.SourceTextModule> {
  try {
    const module = new vm.SourceTextModule(new TextDecoder().decode(request.artifact.content), {
      identifier: request.url,
      initializeImportMeta: (meta) => void Object.assign(meta, importMeta(request.url)),
      // A function of ours would do as well, but Deno 2.9 never gives a module back that has one.
      importModuleDynamically: DEFAULT_LOADER,
    });
    await module.link((specifier) => builtin(specifier));
    return module;
  } catch (cause) {
    throw fault(request, "syntax", "it can't be compiled:", cause);
  }
}

/** What is left to import is a builtin, or an optional package. */
async function builtin(specifier: string): Promise<vm.Module> {
  const namespace = await importUrl(specifier);
  const names = Object.keys(namespace);
  return new vm.SyntheticModule(names, function () {
    for (const name of names) this.setExport(name, namespace[name]);
  }, { identifier: specifier });
}

function importMeta(url: string): Record<string, unknown> {
  const filename = fromFileUrl(url.replace(/\?.*$/, ""));
  return {
    url,
    filename,
    dirname: dirname(filename),
    main: false,
    resolve: (specifier: string) => resolve(specifier, url),
  };
}

function resolve(specifier: string, url: string): string {
  return /^\.{0,2}\//.test(specifier) ? new URL(specifier, url).href : specifier;
}

function fault(
  { file }: ModuleRequest,
  code: "syntax" | "load",
  what: string,
  cause: unknown,
): HotplugError {
  return new HotplugError(code, `Cannot open "${file}": ${what} ${describeError(cause)}`, {
    cause,
  });
}
