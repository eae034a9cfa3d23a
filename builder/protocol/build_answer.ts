import * as v from "valibot";
import { HotplugError, isPluginName, isSha256 } from "../../artifact/mod.ts";

/** The first entry of an answer: what the others are. */
export const ANSWER_FILE = "answer.json";

const file = v.pipe(
  v.string("must be a text"),
  v.regex(/^[A-Za-z][A-Za-z0-9_.-]{0,250}$/, "must be a plain file name"),
);
const text = v.string("must be a text");

const schema = v.object({
  name: v.custom<string>((name) => isPluginName(name as string), "must be a plugin's name"),
  /** The Deno that built. */
  version: text,
  /** The digest of the source as it arrived. */
  sourceSha256: v.custom<string>(isSha256, "must be a SHA-256"),
  artifacts: v.array(v.object({
    target: text,
    /** The file, its info file, its source map, and the module in an executable. */
    file,
    info: file,
    sourceMap: v.optional(file),
    content: v.optional(file),
  })),
  failures: v.array(v.object({ target: text, code: text, message: text })),
});

/** What a service built: an answer is a tar of this, as JSON, and of the files that it names. */
export type BuildAnswer = v.InferOutput<typeof schema>;

/**
 * Reads the first entry of an answer.
 *
 * @throws {HotplugError} With code `remote`, if it is something else.
 */
export function parseBuildAnswer(json: string): BuildAnswer {
  try {
    return v.parse(schema, JSON.parse(json));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HotplugError("remote", `Cannot read ${ANSWER_FILE} of the answer: ${why}`, { cause });
  }
}
