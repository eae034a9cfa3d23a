import { resolve } from "@std/path";
import { HotplugError, type Mode } from "../artifact/mod.ts";
import { quote } from "./quote.ts";

/** Checked arguments, by the step that they are for. */
export interface BuildArgs {
  /** For `deno info`, by which the graph is checked. */
  readonly graph: readonly string[];
  /** For `deno bundle` and `deno check`. */
  readonly bundle: readonly string[];
  /** For `deno compile`. */
  readonly compile: readonly string[];
}

type Step = keyof BuildArgs;

interface Allowed {
  readonly steps: readonly Step[];
  readonly value: "none" | "maybe" | "text" | "file";
}

const RESOLVING: readonly Step[] = ["graph", "bundle"];
const ALL: readonly Step[] = ["graph", "bundle", "compile"];

/** What may be passed. None of it can change what is built from, to where, or what is checked. */
const ALLOWED: ReadonlyMap<string, Allowed> = new Map([
  ["--app-name", { steps: ["compile"], value: "text" }],
  ["--cert", { steps: ALL, value: "file" }],
  ["--conditions", { steps: ["bundle"], value: "text" }],
  ["--icon", { steps: ["compile"], value: "file" }],
  ["--location", { steps: ["compile"], value: "text" }],
  ["--minimum-dependency-age", { steps: RESOLVING, value: "text" }],
  ["--no-code-cache", { steps: ["compile"], value: "none" }],
  ["--no-npm", { steps: RESOLVING, value: "none" }],
  ["--no-remote", { steps: RESOLVING, value: "none" }],
  ["--no-terminal", { steps: ["compile"], value: "none" }],
  ["--reload", { steps: RESOLVING, value: "maybe" }],
  ["--seed", { steps: ["compile"], value: "text" }],
  ["--v8-flags", { steps: ["compile"], value: "text" }],
]);

const UNSTABLE = /^--unstable-[a-z-]+$/;

/** Why a flag is refused that somebody may well try, and what to do instead. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^--(allow|deny)-(import|scripts)$/, "what a build may fetch or run is not the plugin's to say"],
  [/^(-[AEFINRSW]|--(allow|deny)-.+)$/, "permissions have an option of their own"],
  [/^(-c|--config|--no-config|--import-map)$/, "imports belong in the plugin's deno.json"],
  [/^(-o|--output|--outdir)$/, "artifacts are named by rule and published into the destination"],
  [/^--target$/, "targets have an option of their own"],
  [/^--(check|no-check)$/, "the check of types has an option of its own"],
  [/^--(minify|sourcemap|keep-names)$/, "how the bundle is written has options of its own"],
  [/^--(external|packages)$/, "a plugin stands alone; what may be missing is an optional import"],
  [/^--(env-file|include|preload|require)$/, "it would bring files of this machine along"],
  [/^--(watch|watch-exclude)$/, "a build ends; build again when the source changes"],
];

/**
 * Checks arguments that are passed on to Deno: each is one text, as `--conditions=worker`.
 *
 * @throws {HotplugError} With code `options`, naming the argument, why it is refused and what to do.
 */
export function checkBuildArgs(args: readonly string[], mode: Mode): BuildArgs {
  const checked: Record<Step, string[]> = { graph: [], bundle: [], compile: [] };
  for (const arg of args) {
    const { text, steps } = checkArg(arg);
    if (mode === "module" && !steps.includes("bundle")) {
      throw refusal(arg, `it is for executables only; leave it out, or build in that mode`);
    }
    for (const step of steps) checked[step].push(text);
  }
  return checked;
}

function checkArg(arg: string): { text: string; steps: readonly Step[] } {
  // deno-lint-ignore no-control-regex
  if (typeof arg !== "string" || /[\x00-\x1f\x7f]/.test(arg)) {
    throw refusal(String(arg), "it takes a text without control characters");
  }
  const [, flag = arg, value] = /^([^=]*)=(.*)$/.exec(arg) ?? [];
  const allowed = UNSTABLE.test(flag) ? { steps: ALL, value: "none" } as const : ALLOWED.get(flag);
  if (allowed === undefined) throw refusal(arg, reasonOf(flag));
  if (allowed.value === "none" && value !== undefined) throw refusal(arg, "it takes no value");
  if (["text", "file"].includes(allowed.value) && !value) {
    throw refusal(arg, `it takes a value, as one text: ${flag}=VALUE`);
  }
  // The child works in another folder than the one that the caller thinks of.
  const text = allowed.value === "file" && value ? `${flag}=${resolve(value)}` : arg;
  return { text, steps: allowed.steps };
}

function reasonOf(flag: string): string {
  const [, reason] = REASONS.find(([pattern]) => pattern.test(flag)) ?? [];
  if (reason !== undefined) return reason;
  return `it may not be passed on; what may: ${
    [...ALLOWED.keys(), "--unstable-FEATURE"].join(", ")
  }`;
}

function refusal(arg: string, why: string): HotplugError {
  return new HotplugError("options", `Cannot build with the argument ${quote(arg)}: ${why}`);
}
