import { type Command, InvalidArgumentError } from "commander";
import { type BuildOptions, DEFAULT_SOURCE_LIMITS, type SourceLimits } from "../builder/mod.ts";
import { collect, textArgument } from "./argument.ts";

/** What the flags that say what to build from are read as. */
export interface SourceFlags {
  /** Further sources by their specifiers. */
  readonly dep?: Readonly<Record<string, string>>;
  /** Hosts to import from. */
  readonly allowImport?: readonly string[];
  /** Whether the lock must not change. */
  readonly frozen?: true;
  /** Whether a package keeps its hooks. */
  readonly hooks?: true;
  /** Other limits than the usual ones. */
  readonly limit?: SourceLimits;
}

const LIMITS = Object.keys(DEFAULT_SOURCE_LIMITS) as (keyof SourceLimits)[];

/** Adds the flags that say what to build from, beyond the source itself. */
export function addSourceFlags(command: Command): Command {
  const usual = LIMITS.map((name) => `${name}=${DEFAULT_SOURCE_LIMITS[name]}`).join(", ");
  return command
    .option(
      "--dep <NAME=SOURCE>",
      "another source, imported as NAME, such as @scope/lib=../lib; repeat for more",
      (text: string, before: Readonly<Record<string, string>> = {}) => pairOf(text, before),
    )
    .option(
      "--allow-import <HOST>",
      "a host that http(s) imports may come from; repeat for more (default: none)",
      collect(textArgument),
    )
    .option("--frozen", "fail if the source's deno.lock would change")
    .option("--hooks", "keep the hooks that a package exports (npm: sources)")
    .option(
      "--limit <NAME=NUMBER>",
      `how much a source may hold, in bytes and milliseconds; repeat for more\n(default: ${usual})`,
      (text: string, before: SourceLimits = {}) => ({ ...before, ...limitOf(text) }),
    );
}

/** The options of a build that these flags stand for. */
export function sourceOptions(flags: SourceFlags): Partial<BuildOptions> {
  const { dep: deps, allowImport, frozen, hooks, limit: limits } = flags;
  return {
    ...(deps === undefined ? {} : { deps }),
    ...(allowImport === undefined ? {} : { allowImport }),
    ...(frozen === undefined ? {} : { frozen }),
    ...(hooks === undefined ? {} : { hooks }),
    ...(limits === undefined ? {} : { limits }),
  };
}

/** `NAME=SOURCE`, where the source may hold further `=`. */
function pairOf(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf("=");
  const [name, source] = [text.slice(0, at), text.slice(at + 1)];
  if (at > 0 && source !== "" && !Object.hasOwn(before, name)) return { ...before, [name]: source };
  throw new InvalidArgumentError("Give NAME=SOURCE, each NAME once, as @scope/lib=../lib.");
}

function limitOf(text: string): SourceLimits {
  const [, name, number] = /^([A-Za-z]+)=(\d+)$/.exec(text) ?? [];
  const limit = LIMITS.find((each) => each === name);
  if (limit !== undefined && Number(number) >= 1) return { [limit]: Number(number) };
  throw new InvalidArgumentError(`Give NAME=NUMBER, with a NAME out of ${LIMITS.join(", ")}.`);
}
