import { basename } from "@std/path";
import {
  type ArtifactName,
  hostTarget,
  HotplugError,
  type InfoFile,
  permissionsBeyond,
} from "../../artifact/mod.ts";
import {
  type ResolvedPluginSettings,
  settingsOf,
  type SettingsSource,
  type Tier,
} from "./plugin_settings.ts";

/** How much there is between a plugin and its host. */
const APART: Record<Tier, number> = { inline: 0, worker: 1, process: 2 };

/** What is known of a version that was loaded. */
interface LoadedVersion {
  /** The artifact's path. */
  readonly path: string;
  /** What its name says. */
  readonly artifact: ArtifactName;
  /** What its info file says, where it has one. */
  readonly info: InfoFile | undefined;
}

/**
 * Refuses to let serve again what was loaded by settings that let it do more than those of now: what was
 * taken back since is not to come back because it is in memory.
 *
 * @throws {HotplugError} `unsupported`.
 */
export function refuseLooser(
  { path, artifact, info }: LoadedVersion,
  running: ResolvedPluginSettings,
  source: SettingsSource,
): void {
  // What it may do is compiled into it.
  if (artifact.mode === "executable") return;
  const now = settingsOf(source, artifact, info);
  const beyond = Object.keys(
    permissionsBeyond(running.permissions, now.permissions, hostTarget().os),
  );
  const more = APART[running.tier] < APART[now.tier]
    ? `in tier "${running.tier}", and is to run in "${now.tier}" by now`
    : running.tier !== "inline" && beyond.length > 0
    ? `with permissions that were taken back since (${beyond.join(", ")})`
    : undefined;
  if (more === undefined) return;
  throw new HotplugError(
    "unsupported",
    `Cannot let "${basename(path)}" serve again: it runs ${more}`,
  );
}
