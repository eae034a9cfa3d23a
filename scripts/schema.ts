/**
 * Writes `hotplug.schema.json`: the JSON Schema of the configuration file.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { configJsonSchema } from "./config_json_schema.ts";

const path = fromFileUrl(new URL("../hotplug.schema.json", import.meta.url));
await Deno.writeTextFile(path, configJsonSchema());
