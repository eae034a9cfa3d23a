import { basename, dirname, join } from "@std/path";
import {
  artifactStem,
  HotplugError,
  MAX_INFO_BYTES,
  parseInfo,
  parseInfoFileName,
  tryParseArtifactName,
} from "../../artifact/mod.ts";
import type { Generation } from "../generations/generation.ts";
import type { WhichVersion } from "./pending_version.ts";
import { demandsOf, isFulfilled } from "../artifacts/demands.ts";
import { locate, type Location, toPath } from "../artifacts/locate.ts";
import { openArtifact, type OpenWorld } from "./open_artifact.ts";
import { openNewest } from "./open_newest.ts";
import type { OpenOptions } from "../settings/open_options.ts";
import { type ManagerOptions, reloadable, resolveManagerOptions } from "../settings/options.ts";
import type { RestoredHolds } from "../generations/plugin_registry.ts";
import { runsOtherwise } from "../settings/runs_otherwise.ts";
import { contractsOf, settingsOf } from "../settings/plugin_settings.ts";
import { readRegularFile } from "../artifacts/read_file.ts";
import { toHotplugError } from "../refusal_event.ts";
import { readyParser } from "../tiers/ready_parser.ts";
import { historyOf } from "../tiers/tier_history.ts";

/** What an opener needs of its manager. */
export interface OpenerWorld extends OpenWorld {
  /** Told of what was not opened. */
  refused(error: HotplugError, path: string): void;
}

/** Opens artifacts by path, by info file, or by the name of their plugin. */
export class Opener {
  readonly #world: OpenerWorld;
  readonly #opening = new Map<string, Promise<Generation>>();

  /** Makes the opener of a manager. */
  constructor(world: OpenerWorld) {
    this.#world = world;
    readyParser();
  }

  /** Opens an artifact; opens of the same file at the same time share one load. */
  async open(pathOrUrl: string | URL, options: OpenOptions = {}): Promise<Generation> {
    const { signal, root } = options;
    let location: Location;
    try {
      location = { ...locate(pathOrUrl), ...(root !== undefined && { root }) };
    } catch (error) {
      throw this.#refused(error, String(pathOrUrl));
    }
    const { path } = location;
    let opening = this.#opening.get(path);
    if (!opening) {
      const { closing } = this.#world;
      const world = signal
        ? { ...this.#world, closing: AbortSignal.any([closing, signal]) }
        : this.#world;
      opening = openArtifact(location, world, options)
        .catch((error) => {
          throw this.#refused(error, path);
        })
        .finally(() => {
          this.#opening.delete(path);
          this.#world.registry.forgetEmpty(location.parts.name);
        });
      this.#opening.set(path, opening);
    }
    return await opening;
  }

  /** Opens, from now on, by other options; answers with the plugins that run otherwise for now. */
  reconfigure(options: ManagerOptions): string[] {
    const { options: own, registry } = this.#world;
    Object.assign(own, reloadable(resolveManagerOptions(options)));
    return registry.names().filter((name) => {
      const { generation: { artifact, info }, settings, signers } = registry.current(name);
      const { trust } = demandsOf(own, name);
      // Who takes a key back is to know what it still lets run.
      const isTrusted = !trust ||
        trust.some(({ key }) => signers.some((each) => each.key.x === key.x));
      // Nor would it be opened again, at a restart.
      const isWanted = isTrusted && isFulfilled(info, contractsOf(own, name));
      return !isWanted || runsOtherwise(settings, () => settingsOf(own, artifact, info));
    });
  }

  /** Takes over what kept versions of the plugin out in an earlier process. */
  restore(name: string, holds: RestoredHolds): void {
    this.#world.registry.restore(name, holds);
    if (holds.crashed) historyOf(this.#world.options).crash(name);
    if (holds.current) this.#world.approvals.remember(name, holds.current);
  }

  /** Approves a version that waits, and opens it. */
  async approve(name: string, which?: WhichVersion, options?: OpenOptions): Promise<Generation> {
    const { approvals } = this.#world;
    const { version, root } = approvals.approve(name, which);
    const { path } = version;
    // One that is being opened was judged before, and fails soon; or is judged now, and is let in.
    const opened = await this.#opening.get(path)?.catch(() => undefined);
    if (opened) return opened;
    return await this.open(path, { ...(root !== undefined && { root }), ...options }).catch(
      (error) => {
        // Who is told that it can't be done does not expect it to be done later.
        if (error.code === "frozen" || error.code === "held") approvals.withdraw(version);
        throw error;
      },
    );
  }

  /** Opens the artifact that an info file describes. */
  async openInfo(pathOrUrl: string | URL): Promise<Generation> {
    let artifact: string;
    try {
      artifact = await describedBy(toPath(pathOrUrl));
    } catch (error) {
      throw this.#refused(error, String(pathOrUrl));
    }
    return await this.open(artifact);
  }

  /** Opens the newest artifact of a plugin in a folder that loads. */
  async openNewest(directory: string, name: string): Promise<Generation> {
    const { options, closing, registry } = this.#world;
    return await openNewest(directory, name, {
      options,
      closing,
      current: (each) => registry.find(each)?.current?.generation,
      isHeld: (each, scn) => registry.isHeld(each, scn),
      open: (path) => this.open(path),
      refused: (error, path) => void this.#refused(error, path),
    });
  }

  /** Resolves once all that is being opened is, or has failed to be. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#opening.values());
  }

  /** Tells of an artifact that was not opened; answers with the error to throw. */
  #refused(thrown: unknown, path: string): HotplugError {
    const error = toHotplugError(thrown);
    if (error.code !== "closed") this.#world.refused(error, path);
    return error;
  }
}

async function describedBy(path: string): Promise<string> {
  const parts = parseInfoFileName(basename(path));
  const { info } = parseInfo(await readRegularFile(path, MAX_INFO_BYTES), basename(path));
  const { file } = info.artifact;
  const named = tryParseArtifactName(file);
  if (named && artifactStem(named) === artifactStem(parts)) return join(dirname(path), file);
  throw new HotplugError("integrity", `Cannot open "${path}": it describes "${file}"`);
}
