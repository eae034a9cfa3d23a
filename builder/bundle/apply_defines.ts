import { HotplugError, SOURCE_MAP_LINK } from "../../artifact/mod.ts";
import type { Bundle } from "./bundle.ts";
import { type Defines, mayUse } from "../define.ts";
import { withEsbuild } from "./esbuild.ts";

/**
 * Puts constants into a finished bundle; branches that are dead with them go, and what only those
 * used. A bundle that uses none of them is answered with as it is, byte by byte.
 *
 * @throws {HotplugError} With code `bundle`, if a constant can't take the place of its name.
 */
export async function applyDefines(
  bundle: Bundle,
  defines: Defines,
  options: { readonly minify: boolean },
): Promise<Bundle> {
  if (!mayUse(bundle.code, defines)) return bundle;
  const [without, made] = await Promise.all([
    transform(bundle, {}, options.minify),
    transform(bundle, defines, options.minify),
  ]);
  // Written anew, the same code may look otherwise: only what the constants did counts.
  return made.code === without.code ? bundle : made;
}

async function transform(bundle: Bundle, define: Defines, minify: boolean): Promise<Bundle> {
  const body = bundle.code.slice(0, bundle.code.lastIndexOf(SOURCE_MAP_LINK));
  const map = new TextEncoder().encode(bundle.map).toBase64();
  const input = `${body}//# sourceMappingURL=data:application/json;base64,${map}`;
  try {
    const made = await withEsbuild((esbuild) =>
      esbuild.transform(input, {
        define: { ...define },
        format: "esm",
        legalComments: "eof",
        loader: "js",
        logLevel: "silent",
        minify,
        // Even where it shall stay readable: this is what takes dead branches away.
        minifySyntax: true,
        sourcefile: "plugin.mjs",
        sourcemap: "external",
        target: "esnext",
        treeShaking: true,
      })
    );
    return { code: `${made.code.trimEnd()}\n${SOURCE_MAP_LINK}\n`, map: made.map };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HotplugError("bundle", `Cannot put the constants into the bundle: ${why}`, { cause });
  }
}
