import {
  HotplugError,
  type KeySource,
  parsePublicKeys,
  type PublicKey,
} from "../../artifact/mod.ts";
import type { OwnPluginSettings } from "./plugin_settings.ts";

/** Which versions wait for an approval; see {@linkcode ManagerOptions.approve}. */
export type ApprovalRule = "more" | "all" | "none";

/** Reads the trusted keys; undefined where there is no such option. */
export function resolveTrust(
  trust: KeySource | readonly KeySource[] | undefined,
  option = "trust",
): readonly PublicKey[] | undefined {
  if (trust === undefined) return undefined;
  let keys: PublicKey[];
  try {
    keys = parsePublicKeys(trust);
  } catch (cause) {
    throw refusal(option, cause instanceof Error ? cause.message : String(cause), { cause });
  }
  // What a mistake gives, as a pattern that no file matches: to trust nobody, or everybody?
  if (keys.length === 0) {
    throw refusal(option, "it has no keys; leave it out to open what is not signed");
  }
  return keys;
}

/** Reads the keys of the plugins that have their own. */
export function resolveOwnTrust(
  plugins: Readonly<Record<string, Pick<OwnPluginSettings, "trust">>>,
): ReadonlyMap<string, readonly PublicKey[]> {
  const own = Object.entries(plugins).flatMap(([name, settings]) => {
    const keys = resolveTrust(settings.trust, `plugins.${name}.trust`);
    return keys ? [[name, keys] as const] : [];
  });
  return new Map(own);
}

/** Checks which versions wait for an approval. */
export function resolveApprove(rule: ApprovalRule): ApprovalRule {
  if (rule === "more" || rule === "all" || rule === "none") return rule;
  throw new HotplugError(
    "options",
    `Option "approve" is "${String(rule)}": give "more", "all" or "none"`,
  );
}

function refusal(option: string, why: string, options?: ErrorOptions): HotplugError {
  return new HotplugError("options", `Option "${option}" can't be used: ${why}`, options);
}
