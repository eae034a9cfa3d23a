import * as v from "valibot";
import { objectOf } from "../object_of.ts";
import { DAY } from "../options.ts";
import type { Config } from "./config.ts";
import { recordOf } from "./record_of.ts";

/** A number of milliseconds. */
const ms = (least = 0, most = 2 ** 31 - 1) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const ADDRESS =
  /^(?:(?:\[[\da-fA-F:.]+\]|[^:\s\/]+):)?(?:6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|\d{1,4})$/;
const text = v.pipe(v.string(), v.nonEmpty());
const texts = v.array(text);
const keyFiles = v.pipe(texts, v.minLength(1));
const bytes = v.pipe(v.number(), v.integer(), v.minValue(2 ** 20));
const tier = v.picklist(["inline", "worker", "process"]);
const permission = v.union([v.literal(true), texts]);

const permissions = objectOf({
  env: v.exactOptional(permission),
  ffi: v.exactOptional(permission),
  import: v.exactOptional(permission),
  net: v.exactOptional(permission),
  read: v.exactOptional(permission),
  run: v.exactOptional(permission),
  sys: v.exactOptional(permission),
  write: v.exactOptional(permission),
});

const retention = objectOf({
  count: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  age: v.exactOptional(ms(1)),
  bytes: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1))),
});

const probation = v.union([
  v.literal(false),
  objectOf({
    window: v.exactOptional(ms(1)),
    errorRate: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
    minCalls: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    crashes: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  }),
]);

const settings = {
  tier: described(tier, "Where generations run"),
  loader: described(v.picklist(["import", "reclaimable"]), "How a module gets into the process"),
  permissions: described(permissions, "The most that the plugin is given in a process of its own"),
  retention: described(retention, "Which generations stay in memory"),
  probation: described(probation, "When a new generation is taken back by itself"),
  contracts: described(texts, "The contracts that the host fulfils"),
  callDeadline: described(ms(1), "How long a call may take, in milliseconds"),
  maxInFlight: described(
    v.pipe(v.number(), v.integer(), v.minValue(1)),
    "How many calls of a generation may be under way at a time",
  ),
  drainDeadline: described(
    ms(),
    "How long what is superseded waits for its callers, in milliseconds",
  ),
  handover: described(
    v.boolean(),
    "Whether a new version waits for the `quiesce` and `handover` of the one before",
  ),
  heapLimit: described(
    v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(2 ** 20)),
    "The most of a worker's or process's JavaScript heap, in MiB",
  ),
  env: described(
    v.union([texts, recordOf(v.string())]),
    "The variables that a process gets of the environment, or with their values",
  ),
  preflight: described(v.boolean(), "Whether a module is first imported in a throw-away process"),
  moveLostWorkers: described(
    v.boolean(),
    "Whether a plugin whose worker was lost goes to a process",
  ),
};

const plugin = objectOf({
  ...settings,
  config: described(v.unknown(), "What `activate` gets as `context.config`"),
  trust: described(keyFiles, "Files with the public keys that are trusted for this plugin"),
});

const memory = objectOf({
  soft: described(bytes, "Past this RSS nothing more is loaded, in bytes; at most `hard`"),
  hard: described(bytes, "Past this RSS the process is to end, in bytes"),
  exit: described(v.boolean(), "Whether it drains and exits with 75 then"),
});

/** What `hotplug.jsonc` may say. */
export const configSchema: v.GenericSchema<unknown, Config> = v.pipe(
  objectOf({
    $schema: described(v.string(), "Where this schema is"),
    watch: described(v.pipe(texts, v.minLength(1)), "The directories to watch"),
    recursive: described(v.boolean(), "Whether folders in them are watched too"),
    poll: described(ms(10, DAY), "Lists the directories so often, in milliseconds, told or not"),
    scanInterval: described(ms(10, DAY), "Time between two full scans, in milliseconds"),
    rootCheck: described(ms(10, DAY), "Time between two looks at the directories, in milliseconds"),
    retryMin: described(ms(1, DAY), "The first pause before another try, in milliseconds"),
    retryMax: described(ms(1, DAY), "The longest pause before another try, in milliseconds"),
    state: described(v.union([text, v.boolean()]), "The state folder; false for none"),
    initialScn: described(
      v.pipe(v.number(), v.integer(), v.minValue(1000_01_01_00_00_00), v.maxValue(99991231235959)),
      "The floor: artifacts below it are outdated",
    ),
    runtimeRule: described(v.picklist(["compatible", "exact"]), "How closely runtimes must fit"),
    requireInfo: described(v.boolean(), "Whether an artifact without an info file is refused"),
    bareSettle: described(ms(), "How long a bare module must stand still, in milliseconds"),
    executables: described(v.boolean(), "Whether executables are run"),
    workerPermissions: described(v.boolean(), "Whether workers may have fewer permissions"),
    deno: described(text, "The Deno that runs processes"),
    loadDeadline: described(ms(1), "How long a module's top level may take, in milliseconds"),
    activateDeadline: described(ms(1), "How long `activate` may take, in milliseconds"),
    maxSize: described(
      v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31)),
      "How large a module may be, in bytes",
    ),
    futureTolerance: described(ms(), "How far ahead an SCN may lie, in milliseconds"),
    trust: described(keyFiles, "Files with the public keys that are trusted"),
    approve: described(v.picklist(["more", "all", "none"]), "Which versions wait for an approval"),
    logLevel: described(
      v.picklist(["trace", "debug", "info", "warning", "error", "fatal"]),
      "From what weight on something is logged",
    ),
    log: described(v.picklist(["pretty", "json"]), "How it is logged"),
    gateway: described(
      v.pipe(v.string(), v.regex(ADDRESS, "give it as [HOST:]PORT, as 127.0.0.1:8080")),
      "Where plugins are served by http: [HOST:]PORT",
    ),
    stopDeadline: described(ms(), "How long a stop waits for calls under way, in milliseconds"),
    memory: described(memory, "How much memory the process may have"),
    defaults: described(objectOf(settings), "Settings of all plugins"),
    plugins: described(recordOf(plugin), "Settings of single plugins, by name"),
  }),
  v.title("hotplug.jsonc"),
  v.description("The configuration of hotplug daemon. Paths are relative to this file's folder."),
);

function described<T extends v.GenericSchema>(schema: T, text: string) {
  return v.exactOptional(v.pipe(schema, v.description(text)));
}
