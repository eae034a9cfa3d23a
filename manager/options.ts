import {
  DEFAULT_BARE_SETTLE_MS,
  DEFAULT_FUTURE_TOLERANCE_MS,
  DEFAULT_MAX_MODULE_BYTES,
  hostRuntime,
  HotplugError,
  isScn,
  type Runtime,
  type RuntimeRule,
  type Scn,
} from "../artifact/mod.ts";

/** How a {@linkcode PluginManager} behaves. */
export interface ManagerOptions {
  /**
   * The floor: artifacts below it are outdated.
   *
   * @default {0} no floor
   */
  readonly initialScn?: Scn;
  /**
   * What the host runs, to check artifacts against.
   *
   * @default {hostRuntime()}
   */
  readonly runtime?: Runtime;
  /**
   * How closely an artifact's runtime must fit the host's.
   *
   * @default {"compatible"}
   */
  readonly runtimeRule?: RuntimeRule;
  /**
   * Whether an artifact without an info file is refused.
   *
   * @default {false}
   */
  readonly requireInfo?: boolean;
  /**
   * How long size and time of a bare module must have stood still before `openNewest` takes it, in
   * milliseconds.
   *
   * @default {2000}
   */
  readonly bareSettle?: number;
  /**
   * The contracts that this host fulfils; an artifact that requires another one is refused.
   *
   * @default {[]}
   */
  readonly contracts?: readonly string[];
  /**
   * What each plugin's `activate` gets as `context.config`, by the plugin's name.
   *
   * @default {{}}
   */
  readonly config?: Readonly<Record<string, unknown>>;
  /**
   * Whether late errors and exit calls of plugins are kept from ending the process.
   *
   * @default {false}
   */
  readonly guards?: boolean;
  /**
   * How long a module's top level may take, in milliseconds.
   *
   * One that never ends is given up, but Deno remembers it: a host that ends by running out of work
   * ends with code 1 then ("Top-level await promise never resolved"). End it with `Deno.exit`.
   *
   * @default {10000}
   */
  readonly loadDeadline?: number;
  /**
   * How long `activate` may take, in milliseconds.
   *
   * @default {10000}
   */
  readonly activateDeadline?: number;
  /**
   * How large an artifact may be, as a file and decompressed, in bytes.
   *
   * @default {67108864} 64 MiB
   */
  readonly maxSize?: number;
  /**
   * How far ahead of this host's clock an SCN may lie, in milliseconds.
   *
   * @default {600000} 10 minutes
   */
  readonly futureTolerance?: number;
}

/** {@linkcode ManagerOptions} with every gap filled. */
export type ResolvedManagerOptions = Required<ManagerOptions>;

const MAX_TIMER = 2 ** 31 - 1;

/** Fills the gaps and checks the ranges; throws a {@linkcode HotplugError} of code `options`. */
export function resolveManagerOptions(options: ManagerOptions = {}): ResolvedManagerOptions {
  const initialScn = options.initialScn ?? 0;
  if (initialScn !== 0 && !isScn(initialScn)) {
    throw new HotplugError(
      "options",
      `Option "initialScn" is ${String(initialScn)}: give 14 digits, YYYYMMDDHHMMSS in UTC`,
    );
  }
  const runtimeRule = options.runtimeRule ?? "compatible";
  if (runtimeRule !== "compatible" && runtimeRule !== "exact") {
    throw new HotplugError(
      "options",
      `Option "runtimeRule" is "${String(runtimeRule)}": give "compatible" or "exact"`,
    );
  }
  return {
    initialScn,
    runtime: options.runtime ?? hostRuntime(),
    runtimeRule,
    requireInfo: options.requireInfo ?? false,
    bareSettle: range("bareSettle", options.bareSettle ?? DEFAULT_BARE_SETTLE_MS, 0, MAX_TIMER),
    contracts: [...options.contracts ?? []],
    config: { ...options.config },
    guards: options.guards ?? false,
    loadDeadline: range("loadDeadline", options.loadDeadline ?? 10_000, 1, MAX_TIMER),
    activateDeadline: range("activateDeadline", options.activateDeadline ?? 10_000, 1, MAX_TIMER),
    maxSize: range("maxSize", options.maxSize ?? DEFAULT_MAX_MODULE_BYTES, 1, 2 ** 31),
    futureTolerance: range(
      "futureTolerance",
      options.futureTolerance ?? DEFAULT_FUTURE_TOLERANCE_MS,
      0,
      Number.MAX_SAFE_INTEGER,
    ),
  };
}

/** Answers with the value where it lies in the range. */
export function range(option: string, value: number, least: number, most: number): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  throw new HotplugError(
    "options",
    `Option "${option}" is ${String(value)}: give a number from ${least} to ${most}`,
  );
}
