/**
 * Makes the checkout ready for `deno publish`: run on a tag in CI, never committed.
 *
 * @module
 */

/** What of `deno.json` a release reads and changes; everything else stays as it is. */
export interface ReleaseConfig {
  /** The version that is released. */
  readonly version?: string;
  /** Where the stand-ins lie. */
  readonly links?: readonly string[];
  /** How the lock file is treated. */
  readonly lock?: unknown;
  /** What is published. */
  readonly publish?: { readonly exclude?: readonly string[] };
  /** All the rest. */
  readonly [field: string]: unknown;
}

/**
 * Answers with the `deno.json` to publish: without the links to the stand-ins in `std/`, and with
 * `std/` left out, so that whoever imports the package gets the real `jsr:@std` packages.
 *
 * @param config The `deno.json` of the checkout; it is not changed
 * @param tag The tag that is released, as `v0.1.0`
 * @throws {Error} The tag is not `v` and the version
 */
export function releaseConfig(config: ReleaseConfig, tag: string): ReleaseConfig {
  if (config.version === undefined || tag !== `v${config.version}`) {
    throw new Error(
      `Cannot release tag ${JSON.stringify(tag)}: deno.json has version ` +
        `${
          JSON.stringify(config.version)
        }; set the version, commit, and tag that commit as v and ` +
        `the version`,
    );
  }
  const { links: _links, ...rest } = config;
  const exclude = [...new Set([...config.publish?.exclude ?? [], "std/"])];
  // The committed lock knows the stand-ins in place of the packages, so it can't hold here.
  return { ...rest, lock: false, publish: { ...config.publish, exclude } };
}

if (import.meta.main) {
  const tag = Deno.args[0] ?? Deno.env.get("GITHUB_REF_NAME") ?? "";
  const file = new URL("../deno.json", import.meta.url);
  const config: ReleaseConfig = JSON.parse(await Deno.readTextFile(file));
  await Deno.writeTextFile(file, `${JSON.stringify(releaseConfig(config, tag), null, 2)}\n`);
}
