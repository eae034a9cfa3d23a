import { assertPluginName, HotplugError, isPluginName } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import type { Project } from "./project.ts";
import type { UnpackedSource } from "../sources/source.ts";

/**
 * Answers with the plugin's name: the option, else the last part of the name in its `deno.json` or
 * `package.json`, else what the file or folder is called.
 *
 * @throws {HotplugError} With code `name`, if that is no plugin's name: nothing is made up.
 */
export function pluginName(
  source: UnpackedSource,
  project: Project,
  option: string | undefined,
): string {
  if (option !== undefined) {
    assertPluginName(option);
    return option;
  }
  const name = project.name ?? source.stem;
  if (isPluginName(name)) return name;
  const from = project.nameFrom ?? `the ${source.kind}'s name`;
  throw new HotplugError(
    "name",
    `Cannot name the plugin ${quote(name)} after ${from}: a name takes a letter, then letters, ` +
      `digits, _ . and -; name it with --name NAME`,
  );
}
