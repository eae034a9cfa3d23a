import { HotplugError, isHook, scanModule } from "../../artifact/mod.ts";
import { type Bundle, bundle, type BundleRequest } from "./bundle.ts";
import { commonJsNames } from "./common_js_names.ts";
import { type PackageExports, writePackageEntry } from "../sources/npm_source.ts";

const NO_DEFAULT = /No matching export in .* for import "default"/;

/**
 * Bundles a package as a plugin. What it exports is only known once it is installed: whether there
 * is a default export, the names that CommonJS puts on `module.exports`, and what is called like a
 * hook.
 */
export async function bundlePackage(
  specifier: string,
  root: string,
  request: BundleRequest & { readonly hooks: boolean },
): Promise<Bundle> {
  const again = async (exports: PackageExports): Promise<Bundle> => {
    await writePackageEntry(root, specifier, exports);
    return await bundle(request);
  };
  const made = await bundle(request).catch((error: unknown) => {
    if (error instanceof HotplugError && NO_DEFAULT.test(error.message)) {
      return again({ all: true, names: [] });
    }
    throw error;
  });
  const { exports } = await scanModule(made.code);
  const found = exports.some((name) => name !== "default")
    ? exports
    : [...exports, ...await commonJsNames(specifier, root)];
  const names = request.hooks ? found : found.filter((name) => !isHook(name));
  const same = names.length === exports.length;
  return same ? made : await again({ all: false, names });
}
