import * as v from "valibot";
import type { ErrorCode, Permissions } from "../../artifact/mod.ts";
import type { GenerationStatus, PendingVersion, PluginStatus } from "../../manager/mod.ts";
import type { ControlProblem } from "../control_problem.ts";
import type { DaemonEvent } from "../events.ts";
import { LOG_LEVELS, type LogLevel } from "../log_level.ts";
import { objectOf } from "../object_of.ts";
import type {
  DaemonStatus,
  FailingVersion,
  MemoryStatus,
  QuarantinedVersion,
  ScanStatus,
  SkippedVersion,
  WatchStatus,
} from "../status.ts";

/** How a plugin stands after something was asked for. */
export interface PluginAnswer {
  /** Whether that has changed something. */
  readonly changed: boolean;
  /**
   * Whether there is something of it, loaded or in the folders; before the first scan, that may be. A
   * name with a typo can be frozen, since what is kept out need not be there yet.
   */
  readonly known: boolean;
  /** How it stands now. */
  readonly plugin: PluginStatus;
}

const time = v.pipe(v.string(), v.isoTimestamp(), v.description("An ISO 8601 time"));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const milliseconds = v.pipe(v.number(), v.minValue(0), v.description("In milliseconds"));
const scn = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1e13),
  v.maxValue(99991231235959),
  v.description("A sequence change number: YYYYMMDDHHMMSS in UTC"),
);
const name = v.pipe(v.string(), v.nonEmpty(), v.maxLength(64), v.description("A plugin's name"));

const code = v.pipe(
  v.string(),
  v.description("A word that stays the same between versions"),
) as v.GenericSchema<unknown> as v.GenericSchema<unknown, ErrorCode>;

const list = v.union([v.literal(true), v.array(v.string())]);
const permissions: v.GenericSchema<unknown, Permissions> = v.object({
  env: v.exactOptional(list),
  ffi: v.exactOptional(list),
  import: v.exactOptional(list),
  net: v.exactOptional(list),
  read: v.exactOptional(list),
  run: v.exactOptional(list),
  sys: v.exactOptional(list),
  write: v.exactOptional(list),
});

const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "give 64 hex digits"));

const generation: v.GenericSchema<unknown, GenerationStatus> = v.object({
  scn,
  tier: v.picklist(["inline", "worker", "process"]),
  state: v.picklist(["starting", "current", "superseded", "drained", "parked", "retired"]),
  since: time,
  loadedAt: time,
  sha256: digest,
  path: v.string(),
  leases: count,
  calls: count,
  errors: count,
  crashes: count,
  bytes: count,
});

/** How a plugin stands. */
export const pluginSchema: v.GenericSchema<unknown, PluginStatus> = v.object({
  name,
  current: v.exactOptional(scn),
  held: v.exactOptional(scn),
  frozen: v.boolean(),
  calls: count,
  errors: count,
  generations: v.array(generation),
});

/** How all plugins stand. */
export const pluginsSchema: v.GenericSchema<unknown, PluginStatus[]> = v.array(pluginSchema);

/** How a plugin stands after something was asked for. */
export const pluginAnswerSchema: v.GenericSchema<unknown, PluginAnswer> = v.object({
  changed: v.boolean(),
  known: v.pipe(
    v.boolean(),
    v.description("Whether there is something of it; before the first scan, that may be"),
  ),
  plugin: pluginSchema,
});

const pending: v.GenericSchema<unknown, PendingVersion> = v.object({
  name,
  scn,
  path: v.string(),
  sha256: v.string(),
  permissions,
  more: permissions,
  running: v.exactOptional(scn),
  since: time,
});

const failing: v.GenericSchema<unknown, FailingVersion> = v.object({
  name,
  scn,
  path: v.string(),
  code,
  attempts: count,
  retryAt: v.exactOptional(time),
});

const skipped: v.GenericSchema<unknown, SkippedVersion> = v.object({
  name,
  scn,
  path: v.string(),
  code,
  message: v.string(),
});

const quarantined: v.GenericSchema<unknown, QuarantinedVersion> = v.object({
  name,
  scn,
  path: v.string(),
  reason: v.string(),
  since: time,
});

/** The versions in quarantine. */
export const quarantineSchema: v.GenericSchema<unknown, QuarantinedVersion[]> = v.array(
  quarantined,
);

/** Whether something has changed. */
export const changedSchema: v.GenericSchema<unknown, { readonly changed: boolean }> = v.object({
  changed: v.boolean(),
});

const watch: v.GenericSchema<unknown, WatchStatus> = v.object({
  directory: v.string(),
  mode: v.picklist(["events", "polling"]),
  state: v.picklist(["watching", "polling", "missing", "error"]),
  message: v.exactOptional(v.string()),
  since: time,
});

const memory: v.GenericSchema<unknown, MemoryStatus> = v.object({
  rss: count,
  heapUsed: count,
  heapTotal: count,
  external: count,
  softLimit: v.exactOptional(count),
  hardLimit: v.exactOptional(count),
});

const scans: v.GenericSchema<unknown, ScanStatus> = v.object({
  count,
  lastAt: v.exactOptional(time),
  lastDurationMs: v.exactOptional(milliseconds),
  files: count,
});

const level: v.GenericSchema<unknown, LogLevel> = v.picklist(LOG_LEVELS);

/** What is logged. */
export const logLevelSchema: v.GenericSchema<unknown, { readonly level: LogLevel }> = objectOf({
  level,
});

/** How the daemon stands. */
export const statusSchema: v.GenericSchema<unknown, DaemonStatus> = v.object({
  ready: v.boolean(),
  closed: v.boolean(),
  startedAt: v.exactOptional(time),
  uptimeMs: milliseconds,
  watch: v.array(watch),
  plugins: pluginsSchema,
  pending: v.array(pending),
  failing: v.array(failing),
  skipped: v.array(skipped),
  misnamed: v.array(v.object({ path: v.string(), message: v.string() })),
  quarantine: quarantineSchema,
  memory,
  scans,
  logLevel: level,
  state: v.exactOptional(v.string()),
});

/** What failed. */
export const problemSchema: v.GenericSchema<unknown, ControlProblem> = v.object({
  type: v.literal("about:blank"),
  title: v.string(),
  status: v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
  detail: v.string(),
  code,
});

/** The kinds of events that are streamed. */
const EVENT_TYPES: Readonly<Record<DaemonEvent["type"] | "gap", true>> = {
  loaded: true,
  failed: true,
  skipped: true,
  conflict: true,
  parked: true,
  retired: true,
  "rolled-back": true,
  released: true,
  frozen: true,
  thawed: true,
  permissions: true,
  restarted: true,
  ready: true,
  watch: true,
  retried: true,
  deleted: true,
  state: true,
  suspected: true,
  quarantined: true,
  unquarantined: true,
  memory: true,
  config: true,
  stopped: true,
  gap: true,
};

/** What is common to all events. */
export const eventSchema = v.pipe(
  v.objectWithRest({
    type: v.picklist(Object.keys(EVENT_TYPES)),
    time,
    name: v.exactOptional(v.string()),
    scn: v.exactOptional(scn),
  }, v.unknown()),
  v.description("Further fields depend on the type"),
);

/** What a rollback is asked for with. */
export const rollbackSchema = objectOf({
  to: v.exactOptional(scn),
  reason: v.exactOptional(v.pipe(v.string(), v.maxLength(1_000))),
});

/** What an approval is asked for with. */
export const approveSchema = objectOf({
  scn: v.exactOptional(scn),
  sha256: v.exactOptional(
    v.pipe(digest, v.description("Of the file that waits: another one by now is not approved")),
  ),
});

/** What needs nothing more. */
export const emptySchema = objectOf({});

/** What a call is asked for with. */
export const invokeSchema = objectOf({
  symbol: v.pipe(v.string(), v.nonEmpty(), v.maxLength(1_000)),
  args: v.exactOptional(v.array(v.unknown()), []),
  deadline: v.exactOptional(
    v.pipe(v.number(), v.minValue(1), v.maxValue(600_000), v.description("In milliseconds")),
    30_000,
  ),
});

/** What a call answers with. */
export const invokedSchema = v.object({
  scn,
  result: v.pipe(v.unknown(), v.description("null where it answers with nothing")),
});
