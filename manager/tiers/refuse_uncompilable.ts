import { isBuiltin } from "node:module";
import vm from "node:vm";
import { HotplugError } from "../../artifact/mod.ts";
import { describeError } from "../describe_error.ts";
import { canReclaim } from "./reclaimable_module.ts";

/**
 * Refuses what can't be compiled, or imports a builtin that is not there, without anything of it being
 * run. What a runtime without `vm.SourceTextModule` thinks of it is not known before it is imported.
 *
 * @throws {HotplugError} `syntax`
 */
export function refuseUncompilable(content: Uint8Array, file: string): void {
  if (!canReclaim()) return;
  const missing = compile(content, file).find((each) =>
    each.startsWith("node:") && !isBuiltin(each)
  );
  if (missing === undefined) return;
  throw refusal(file, `there is no builtin "${missing}" here`);
}

/** Answers with what it imports statically. */
function compile(content: Uint8Array, file: string): readonly string[] {
  try {
    const source = new TextDecoder().decode(content);
    return new vm.SourceTextModule(source, { identifier: file }).dependencySpecifiers;
  } catch (cause) {
    throw refusal(file, describeError(cause), cause);
  }
}

function refusal(file: string, why: string, cause?: unknown): HotplugError {
  return new HotplugError("syntax", `Cannot open "${file}": it can't be compiled: ${why}`, {
    cause,
  });
}
