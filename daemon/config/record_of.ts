import * as v from "valibot";
import { noList } from "../object_of.ts";

/** So that no name is one of those that the library leaves out. */
const MARK = "=";

/**
 * Objects of any keys, with such values; no lists.
 *
 * As the library's own, which leaves out `constructor` and `prototype` without a word: plugins may well be
 * named so, and the keys that they must be signed by would be gone.
 */
export function recordOf<const T extends v.GenericSchema>(
  value: T,
): v.RecordSchema<v.StringSchema<undefined>, T, undefined> {
  const record = v.record(v.string(), value);
  const run: typeof record["~run"] = (dataset, config) => {
    const input = dataset.value;
    if (typeof input !== "object" || input === null) return record["~run"](dataset, config);
    const result = record["~run"]({ value: renamed(input, (key) => MARK + key) }, config);
    for (const { path } of result.issues ?? []) {
      const [item] = path ?? [];
      if (item && typeof item.key === "string") {
        Object.assign(item, { key: unmarked(item.key), input });
      }
    }
    return Object.assign(result, { value: renamed(result.value as object, unmarked) });
  };
  return noList({ ...record, "~run": run });
}

function renamed(of: object, rename: (key: string) => string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [rename(key), value]));
}

function unmarked(key: string): string {
  return key.slice(MARK.length);
}
