import * as v from "valibot";
import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import type { DefineValue } from "../define.ts";

const text = v.string("must be a text");
const flag = v.boolean("must be true or false");
const texts = v.array(text, "must be a list of texts");
const permission = v.union([v.literal(true), texts], "must be a list of texts, or true for all");

/** Arguments that would be read as a file of the machine that builds. */
const FILE_ARGS = /^--(?:cert|icon)(?:=|$)/;

const schema = v.strictObject({
  source: v.optional(v.pipe(text, v.startsWith("npm:", "must be a package, as npm:NAME@VERSION"))),
  name: v.optional(text),
  main: v.optional(text),
  mode: v.optional(v.picklist(["module", "executable"], `must be "module" or "executable"`)),
  targets: v.optional(texts),
  gzip: v.optional(flag),
  scn: v.optional(v.number("must be an SCN, as a number")),
  check: v.optional(flag),
  optional: v.optional(texts),
  contract: v.optional(text),
  // Which kinds there are is checked with the other options.
  permissions: v.optional(v.record(text, permission)),
  frozen: v.optional(flag),
  hooks: v.optional(flag),
  define: v.optional(v.record(text, v.custom<DefineValue>(() => true))),
  minify: v.optional(flag),
  sourcemap: v.optional(flag),
  denoVersion: v.optional(text),
  buildArgs: v.optional(v.array(
    v.pipe(
      text,
      v.check((arg) => !FILE_ARGS.test(arg), "must not name a file of the machine that builds"),
    ),
    "must be a list of texts",
  )),
});

/** The options that a build service takes: none of them names a place of the machine it runs on. */
export type RemoteRequest = Readonly<v.InferOutput<typeof schema>>;

/**
 * Reads the options of a request, from JSON.
 *
 * @throws {HotplugError} With code `options`, naming the one that is unknown or of another kind.
 */
export function parseRemoteRequest(json: string): RemoteRequest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new HotplugError("options", "Cannot read the part options: it is no JSON", { cause });
  }
  if (Array.isArray(value)) value = undefined;
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  if (path === null) throw new HotplugError("options", "The part options must be a JSON object");
  const unknown = issue.type === "strict_object" && issue.expected === "never";
  throw new HotplugError(
    "options",
    unknown
      ? `A build service takes no option ${quote(path)}; it takes ${
        Object.keys(schema.entries).join(", ")
      }`
      : `The option ${quote(path)} ${issue.message}`,
  );
}
