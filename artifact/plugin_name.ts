import { quote } from "./_quote.ts";
import { ArtifactNameError } from "./name_error.ts";
import { MAX_PLUGIN_NAME_LENGTH } from "./limits.ts";

const SHAPE = /^[A-Za-z][A-Za-z0-9_.-]*$/;
// Windows takes `con`, and `con.` with anything after it, for a device in every folder.
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;

/**
 * Tells whether the text is a plugin's name: a letter, then letters, digits, `_`, `.` and `-`; at
 * most 64 characters, no `..`, not ending in `.` or `-`, no device name of Windows.
 *
 * @example
 * ```ts
 * import { isPluginName } from "@hotplug/hotplug/artifact";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isPluginName("my_pricing-v2.eu"), true);
 * assertEquals(isPluginName("../pricing"), false);
 * ```
 */
export function isPluginName(text: string): boolean {
  return pluginNameFault(text) === undefined;
}

/**
 * Asserts that the text is a plugin's name.
 *
 * @throws {ArtifactNameError} part `name` or `length`: it is none
 */
export function assertPluginName(text: string): void {
  const fault = pluginNameFault(text);
  if (fault === undefined) return;
  const part = text?.length > MAX_PLUGIN_NAME_LENGTH ? "length" : "name";
  throw new ArtifactNameError(part, text, `Cannot use ${quote(text)} as a plugin's name: ${fault}`);
}

/** What keeps a text from being a plugin's name; nothing if it is one. */
export function pluginNameFault(text: string): string | undefined {
  if (typeof text !== "string" || text === "") return "it is empty";
  if (text.length > MAX_PLUGIN_NAME_LENGTH) {
    return `it is longer than ${MAX_PLUGIN_NAME_LENGTH} characters`;
  }
  if (!SHAPE.test(text)) return "it takes a letter, then letters, digits, _ . and - only";
  if (text.includes("..")) return "it must not hold two dots in a row";
  if (/[.-]$/.test(text)) return "it must not end in . or -";
  if (DEVICE.test(text)) return "Windows keeps it for a device";
  return undefined;
}
