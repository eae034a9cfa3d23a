import * as v from "valibot";

/**
 * Objects of these keys and no others, that are no lists.
 *
 * The library's own takes a list for an object: an empty one would say nothing, and pass.
 */
export function objectOf<const T extends v.ObjectEntries>(
  entries: T,
): v.StrictObjectSchema<T, undefined> {
  return noList(v.strictObject(entries));
}

/** As the schema, but a list is refused as what is of another type. */
export function noList<const T extends v.GenericSchema>(schema: T): T {
  const run: T["~run"] = (dataset, config) => {
    if (!Array.isArray(dataset.value)) return schema["~run"](dataset, config);
    v._addIssue(schema, "type", dataset, config);
    return dataset as ReturnType<T["~run"]>;
  };
  return { ...schema, "~run": run };
}
