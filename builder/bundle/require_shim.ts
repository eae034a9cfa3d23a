/** The message in what a bundler puts in the place of `require`, when nothing has mended it. */
export const RAW_SHIM_TEXT = 'Dynamic require of "';

const HEADER =
  'import{createRequire as __hotplug_createRequire}from"node:module";var require=__hotplug_createRequire(import.meta.url);\n';

/**
 * Gives a bundle with CommonJS inside its `require`, where `deno bundle` did not.
 *
 * Deno replaces the bundler's stand-in, which only throws, by looking for its text; in some bundles
 * it comes out in another shape and is missed. The stand-in uses a `require` that is in scope: one
 * more line at the top is enough, and the map moves down by that line.
 */
export function mendRequireShim(
  bundle: { readonly code: string; readonly map: string },
): { code: string; map: string } {
  if (!bundle.code.includes(RAW_SHIM_TEXT)) return bundle;
  const map = JSON.parse(bundle.map) as { mappings: string };
  return {
    code: HEADER + bundle.code,
    map: JSON.stringify({ ...map, mappings: `;${map.mappings}` }),
  };
}
