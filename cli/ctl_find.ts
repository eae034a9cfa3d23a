import { join, resolve } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { defaultStateFolder, readConfig } from "../daemon/mod.ts";
import { type ControlPlace, isLive, readPlace } from "../daemon/control/control_place.ts";
import { TOKEN_FILE } from "../daemon/control/control_token.ts";
import { defaultStateFolders } from "../daemon/state/default_state_folder.ts";
import { isStateFolderLeft, isStateFolderTaken } from "../daemon/state/state_folder.ts";
import { CONFIG_FILE } from "./daemon_settings.ts";
import { readToken } from "./read_token.ts";

/** What says which daemon is meant. */
export interface CtlFlags {
  readonly control?: URL;
  readonly tokenFile?: string;
  readonly state?: string;
  readonly watch?: readonly string[];
  readonly json?: true;
}

/** Where a daemon is reached. */
export interface CtlPlace {
  /** What messages call it. */
  readonly label: string;
  /** The path of its socket; undefined for TCP. */
  readonly socket: string | undefined;
  /** Its address; of no meaning beside a socket. */
  readonly url: URL;
  /** What it is to be brought. */
  readonly token: string | undefined;
}

/**
 * Finds the daemon that is meant: by its address, its state folder, the folders that it watches, the
 * configuration in this folder; else the only one that runs.
 *
 * @throws {HotplugError} `remote` where there is none, or more than one; `options` and `config` for a
 * file that can't be read.
 */
export async function findDaemon(flags: CtlFlags): Promise<CtlPlace> {
  const token = flags.tokenFile === undefined ? undefined : await readToken(flags.tokenFile);
  if (flags.control) {
    return { label: flags.control.href, socket: undefined, url: flags.control, token };
  }
  const state = await namedState(flags);
  if (state === undefined) return await theOnlyOne(await running(), token);
  const place = await readPlace(state);
  // In a copy of a state folder, too, is written where that one's daemon is reached: it is not meant.
  if (place && !isStateFolderLeft(state)) return await placeOf(state, place, token);
  const those = !place && flags.state === undefined && flags.watch
    ? await watching(flags.watch)
    : [];
  if (those.length > 0) return await theOnlyOne(those, token);
  const why = isStateFolderTaken(state)
    ? "the one that runs there has no control (--no-control), or has not begun with it"
    : "none runs there";
  throw new HotplugError(
    "remote",
    `No daemon can be controlled by state folder "${state}": ${why}; start one with hotplug daemon, or ` +
      "name another one (--state, --watch, --control)" +
      (flags.state === undefined
        ? "; one that was started with a --state of its own is found by that alone"
        : ""),
  );
}

async function namedState({ state, watch }: CtlFlags): Promise<string | undefined> {
  if (state !== undefined) return resolve(state);
  if (watch) return defaultStateFolder(watch.map((each) => resolve(each)));
  const file = join(Deno.cwd(), CONFIG_FILE);
  const there = await Deno.lstat(file).then(() => true, () => false);
  if (!there) return undefined;
  const { options } = await readConfig(file).catch((cause) => {
    // A daemon that runs goes on with what was in force before; it is only not found by that file.
    const why = cause instanceof Error ? cause.message : String(cause);
    const how = "by it no daemon is found; say which is meant (--state, --watch, --control)";
    throw new HotplugError("config", `${why}; ${how}`, { cause });
  });
  if (typeof options.state === "string") return resolve(options.state);
  return options.watch && defaultStateFolder(options.watch.map((each) => resolve(each)));
}

/** A daemon that runs. */
interface Running {
  readonly state: string;
  readonly place: ControlPlace;
}

async function theOnlyOne(found: readonly Running[], token: string | undefined): Promise<CtlPlace> {
  const [first] = found;
  if (first && found.length === 1) return await placeOf(first.state, first.place, token);
  throw new HotplugError(
    "remote",
    found.length === 0
      ? `No daemon of this user runs, as far as "${defaultStateFolders()}" tells; start one with ` +
        "hotplug daemon, or name it (--state, --watch, --control)"
      : `${found.length} daemons run; name one: ${found.map(nameOf).join(" or ")}`,
  );
}

function nameOf({ state, place: { watch } }: Running): string {
  return `--state ${state} (it watches ${watch.map((each) => `"${each}"`).join(" and ")})`;
}

/** Those whose state folders have the names that they have by default. */
async function running(): Promise<Running[]> {
  const folder = defaultStateFolders();
  const found: Running[] = [];
  for (const name of await names(folder)) {
    const state = join(folder, name);
    const place = await readPlace(state);
    if (place && !isStateFolderLeft(state) && await isLive(place)) found.push({ state, place });
  }
  return found;
}

/** Those of them that watch all of these folders, and may be others. */
async function watching(folders: readonly string[]): Promise<Running[]> {
  const paths = folders.map((each) => resolve(each));
  return (await running()).filter(({ place }) => paths.every((each) => place.watch.includes(each)));
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  } catch {
    // Nobody has ever started one.
    return [];
  }
}

async function placeOf(
  state: string,
  { socket, url }: ControlPlace,
  token: string | undefined,
): Promise<CtlPlace> {
  const label = socket ?? url ?? state;
  if (socket !== undefined || url === undefined) {
    return { label, socket: socket ?? join(state, "control.sock"), url: LOCAL, token: undefined };
  }
  return {
    label,
    socket,
    url: new URL(url),
    token: token ?? await readToken(join(state, TOKEN_FILE)),
  };
}

const LOCAL = new URL("http://localhost/");
