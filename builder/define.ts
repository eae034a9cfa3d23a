import { denoTriple, HotplugError, type Target } from "../artifact/mod.ts";
import { quote } from "./quote.ts";

/** A constant of a build: what JSON can say. */
export type DefineValue =
  | string
  | number
  | boolean
  | null
  | readonly DefineValue[]
  | { readonly [key: string]: DefineValue };

/** Constants by the global name that they take the place of, their values as JSON. */
export type Defines = Readonly<Record<string, string>>;

const KEY = /^[\p{ID_Start}$_][\p{ID_Continue}$]*(\.[\p{ID_Start}$_][\p{ID_Continue}$]*)*$/u;
const PLATFORM = "Deno.build";

/**
 * Checks constants and writes their values as JSON, in the order of their names.
 *
 * @throws {HotplugError} With code `options`, if a name is no dotted identifier or a value no JSON.
 */
export function checkDefines(wanted: Readonly<Record<string, DefineValue>>): Defines {
  const names = Object.keys(wanted).sort();
  return Object.fromEntries(names.map((name) => [name, checkDefine(name, wanted[name])]));
}

function checkDefine(name: string, value: unknown): string {
  if (!KEY.test(name)) {
    throw refusal(name, "a name is an identifier, or several with dots, as VERSION or app.mode");
  }
  if (name === PLATFORM || name.startsWith(`${PLATFORM}.`)) {
    throw refusal(name, "what it is comes from the target; build for one with --target");
  }
  const json = tryJson(value);
  if (json !== undefined) return json;
  throw refusal(name, "its value can't be written as JSON; give a text, a number or the like");
}

/** What a platform is known to be before it runs there; nothing of a portable module. */
export function platformDefines(target: Target): Defines {
  if (target.os === "any") return {};
  const triple = denoTriple(target);
  const facts = { arch: triple.slice(0, triple.indexOf("-")), os: target.os, target: triple };
  return Object.fromEntries(
    Object.entries(facts).flatMap(([fact, value]) =>
      [PLATFORM, `globalThis.${PLATFORM}`].map((object) => [
        `${object}.${fact}`,
        JSON.stringify(value),
      ])
    ),
  );
}

/** Whether a module may name one of the constants; a quick look that errs on the side of yes. */
export function mayUse(code: string, defines: Defines): boolean {
  return Object.keys(defines).some((name) => name.split(".").every((part) => code.includes(part)));
}

function tryJson(value: unknown): string | undefined {
  try {
    const json: unknown = JSON.stringify(value);
    // Not a number, and infinity: JSON would make null of it without a word.
    const lost = typeof value === "number" && !Number.isFinite(value);
    return typeof json === "string" && !lost ? json : undefined;
  } catch {
    return undefined; // circular, or a bigint
  }
}

function refusal(name: string, why: string): HotplugError {
  return new HotplugError("options", `Cannot build with the constant ${quote(name)}: ${why}`);
}
