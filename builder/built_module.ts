import {
  assertNoThenSymbol,
  DEFAULT_MAX_MODULE_BYTES,
  HotplugError,
  scanModule,
  SOURCE_MAP_LINK,
} from "../artifact/mod.ts";
import type { Bundle } from "./bundle/bundle.ts";
import { findLeftovers, type Leftovers } from "./bundle/leftovers.ts";

/** A finished module, and what is known of it without running it. */
export interface BuiltModule extends Leftovers {
  /** Its source. */
  readonly code: string;
  /** Its source map, as JSON. */
  readonly map?: string;
  /** Its exports that are no hooks. */
  readonly symbols: readonly string[];
  /** Its exports that hotplug calls. */
  readonly hooks: readonly string[];
}

/**
 * Finishes a bundle: checks that a host can load it, and reads what it exports and leaves to import.
 *
 * @throws {HotplugError} With code `bundle`, if it is larger than a host takes; `load` or `imports`,
 * if it is no module that stands alone.
 */
export async function finishModule(
  bundle: Bundle,
  options: { readonly optional: readonly string[]; readonly sourcemap: boolean },
): Promise<BuiltModule> {
  checkSize(bundle);
  const scan = await scanModule(bundle.code);
  assertNoThenSymbol(scan.symbols);
  const { symbols, hooks } = scan;
  const leftovers = findLeftovers(bundle.code, scan, options.optional);
  if (options.sourcemap) return { ...bundle, symbols, hooks, ...leftovers };
  const code = bundle.code.slice(0, bundle.code.lastIndexOf(SOURCE_MAP_LINK));
  return { code, symbols, hooks, ...leftovers };
}

function checkSize({ code }: Bundle): void {
  const bytes = new TextEncoder().encode(code).byteLength;
  if (bytes <= DEFAULT_MAX_MODULE_BYTES) return;
  throw new HotplugError(
    "bundle",
    `Cannot use the bundle: it has ${bytes} bytes, and a host loads at most ` +
      `${DEFAULT_MAX_MODULE_BYTES}; leave out what the plugin can read from a file`,
  );
}
