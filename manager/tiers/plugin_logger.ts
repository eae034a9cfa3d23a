import { getLogger } from "@logtape/logtape";
import type { Scn } from "../../artifact/mod.ts";
import type { PluginLogger } from "../../plugin/mod.ts";

/** The logger of a generation: in the category `hotplug`, `plugin`, the plugin's name. */
export function pluginLogger(name: string, scn: Scn): PluginLogger {
  // LogTape 2.4 finds the children of a category in a plain object: a plugin may be named `constructor`.
  const category = name in Object.prototype ? `${name}_` : name;
  return getLogger(["hotplug", "plugin", category]).with({ plugin: name, scn });
}
