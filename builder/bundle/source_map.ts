import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";

/**
 * Rewrites a source map so that its sources are relative to the plugin's root, and nothing in it
 * tells where it was built. `prefix` is what leads from the map to that root.
 *
 * @throws {HotplugError} With code `imports`, if a source lies outside: a module that was bundled
 * from somewhere else on this machine.
 */
export function relativeSourceMap(text: string, prefix: string): string {
  const { sourceRoot: _, file: __, ...map } = JSON.parse(text) as {
    sources: string[];
    sourceRoot?: string;
    file?: string;
  };
  return `${
    JSON.stringify({ ...map, sources: map.sources.map((each) => withoutPrefix(each, prefix)) })
  }\n`;
}

function withoutPrefix(source: string, prefix: string): string {
  // Deno's own mark on what came from another host.
  const path = source.replaceAll("\\", "/").replace(/^deno:(?=https?:)/, "");
  if (path.startsWith(prefix)) return path.slice(prefix.length);
  if (/^(?:https?|jsr|npm|data|node):/.test(path)) return path;
  throw outsideOfSource(path.split("/").at(-1) ?? path);
}

/** The error for a module that the bundler took from elsewhere on this machine. */
export function outsideOfSource(file: string): HotplugError {
  return new HotplugError(
    "imports",
    `Cannot use the bundle: the module ${
      quote(file)
    } lies outside of the source; put it into the ` +
      `source, or import it as a package`,
  );
}
