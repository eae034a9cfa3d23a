import { toJsonSchema } from "@valibot/to-json-schema";
import { configSchema } from "../daemon/config/config_schema.ts";

/** The JSON Schema of the configuration file, as it is published. */
export function configJsonSchema(): string {
  const schema = toJsonSchema(configSchema, { target: "draft-2020-12", typeMode: "input" });
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
