import { dirname, resolve } from "@std/path";
import { parse, type ParseError, printParseErrorCode } from "jsonc-parser";
import * as v from "valibot";
import { HotplugError, type PublicKey } from "../../artifact/mod.ts";
import type { OwnPluginSettings } from "../../manager/mod.ts";
import type { Config } from "./config.ts";
import { configSchema } from "./config_schema.ts";
import { readPublicKeys } from "./key_files.ts";
import { readInput } from "./read_input.ts";
import { findRepeatedKey } from "./repeated_key.ts";
import { type DaemonOptions, resolveDaemonOptions } from "../options.ts";

/** What a configuration file says, as options: paths are absolute, keys are read. */
export interface DaemonConfig {
  /** What a daemon is made with. */
  readonly options: Partial<DaemonOptions>;
  /** How it is logged; absent where the file does not say. */
  readonly log?: "pretty" | "json";
  /** How long a stop waits for calls under way, in milliseconds; absent where it does not say. */
  readonly stopDeadline?: number;
  /** Where plugins are served by http, as `[HOST:]PORT`; absent where it does not say. */
  readonly gateway?: string;
  /** Whether the process drains and exits past the hard limit of memory. */
  readonly exitOnMemory: boolean;
}

/** Far more than settings take: what is larger is something else. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads a configuration file, `hotplug.jsonc`: JSON with comments, by the schema in
 * `hotplug.schema.json`.
 *
 * @throws {HotplugError} `config` where it can't be read, is no such file, or says what it must not;
 * `key` for keys that can't be read.
 */
export async function readConfig(path: string): Promise<DaemonConfig> {
  const config = await optionsOf(parseConfig(await readText(path), path), dirname(resolve(path)));
  assertInRange(config.options, path);
  return config;
}

/** What the schema can't tell: whether numbers fit each other, a date is one, and a name a plugin's. */
function assertInRange(options: Partial<DaemonOptions>, path: string): void {
  try {
    // Whether its folders are told, and go together, depends on the flags too.
    resolveDaemonOptions({ ...options, watch: [path], state: false });
  } catch (cause) {
    throw fault(path, (cause as Error).message, { cause });
  }
}

/**
 * Reads the text of a configuration file.
 *
 * @throws {HotplugError} `config` where it is none.
 */
export function parseConfig(text: string, path: string): Config {
  try {
    return parseText(text, path);
  } catch (cause) {
    // Of the parser, or of what looks at what it has made: both call themselves for each level.
    if (cause instanceof RangeError) throw fault(path, "it is nested too deeply", { cause });
    throw cause;
  }
}

function parseText(text: string, path: string): Config {
  const errors: ParseError[] = [];
  const value = parse(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error) {
    const where = placeOf(text, error.offset);
    throw fault(path, `${where}: ${printParseErrorCode(error.error)}`);
  }
  const repeated = findRepeatedKey(text);
  if (repeated) {
    throw fault(path, `${placeOf(text, repeated.offset)}: "${repeated.name}" stands there twice`);
  }
  if (Array.isArray(value)) throw fault(path, "it is a list, where an object is expected");
  const result = v.safeParse(configSchema, value);
  if (result.success) return result.output;
  const why = result.issues.flatMap((issue) => describeIssue(issue)).slice(0, 3);
  throw fault(path, why.join("; "));
}

/** What is wrong, with the name of the setting; `outer` is that of the one that it lies in. */
function describeIssue(issue: v.BaseIssue<unknown>, outer: string | null = null): string[] {
  const own = v.getDotPath(issue);
  const name = outer !== null && own !== null ? `${outer}.${own}` : own ?? outer;
  // Where a setting may be of several kinds, what counts is what is wrong within the one that it is of.
  const inner = issue.issues?.filter(({ path }) => path !== undefined) ?? [];
  if (inner.length > 0) return inner.flatMap((each) => describeIssue(each, name));
  if (issue.type === "strict_object" && issue.expected === "never") {
    return [`"${name}" is no setting; see hotplug.schema.json`];
  }
  return [name === null ? issue.message : `"${name}": ${issue.message}`];
}

async function readText(path: string): Promise<string> {
  try {
    return await readInput(path, MAX_BYTES);
  } catch (cause) {
    throw fault(path, (cause as Error).message, { cause });
  }
}

async function optionsOf(config: Config, folder: string): Promise<DaemonConfig> {
  const {
    $schema: _,
    watch,
    state,
    trust,
    memory,
    defaults,
    plugins,
    log,
    stopDeadline,
    gateway,
    ...rest
  } = config;
  const at = (path: string): string => resolve(folder, path);
  const options: Partial<DaemonOptions> = {
    ...rest,
    ...defaults,
    ...(watch && { watch: watch.map(at) }),
    ...(state !== undefined && { state: typeof state === "string" ? at(state) : state }),
    ...(trust && { trust: await keysIn(trust, at) }),
    ...(memory?.soft !== undefined && { memorySoft: memory.soft }),
    ...(memory?.hard !== undefined && { memoryHard: memory.hard }),
    ...(plugins && { plugins: await pluginsOf(plugins, at) }),
  };
  return {
    options,
    ...(log !== undefined && { log }),
    ...(stopDeadline !== undefined && { stopDeadline }),
    ...(gateway !== undefined && { gateway }),
    exitOnMemory: memory?.exit ?? false,
  };
}

async function pluginsOf(
  plugins: NonNullable<Config["plugins"]>,
  at: (path: string) => string,
): Promise<Record<string, OwnPluginSettings>> {
  const entries = await Promise.all(
    Object.entries(plugins).map(async ([name, { trust, ...settings }]) => {
      const keys = trust && await keysIn(trust, at);
      return [name, { ...settings, ...(keys && { trust: keys }) }] as const;
    }),
  );
  return Object.fromEntries(entries);
}

async function keysIn(
  files: readonly string[],
  at: (path: string) => string,
): Promise<PublicKey[]> {
  return await readPublicKeys(files.map(at));
}

/** Line and column, each from 1 on, as editors count. */
function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function fault(path: string, why: string, options?: ErrorOptions): HotplugError {
  return new HotplugError("config", `Cannot use configuration file "${path}": ${why}`, options);
}
