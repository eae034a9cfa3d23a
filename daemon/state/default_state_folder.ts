import process from "node:process";
import { homedir } from "node:os";
import { join } from "@std/path";
import { HotplugError, sha256 } from "../../artifact/mod.ts";

const DIGITS = 12;

/**
 * The state folder of a daemon that watches these folders, given as absolute paths:
 * `$XDG_STATE_HOME/hotplug/` and 12 hex digits of their hash, whatever their order.
 *
 * Without `XDG_STATE_HOME` it lies in `~/.local/state`, on Windows in `%LOCALAPPDATA%`.
 *
 * @throws {HotplugError} `options` where there is no home folder.
 */
export function defaultStateFolder(watch: readonly string[]): string {
  const digest = sha256([...new Set(watch)].sort().join("\0"));
  return join(defaultStateFolders(), digest.slice(0, DIGITS));
}

/**
 * The folder that the state folders lie in which {@linkcode defaultStateFolder} names.
 *
 * @throws {HotplugError} `options` where there is no home folder.
 */
export function defaultStateFolders(): string {
  return join(stateHome(), "hotplug");
}

function stateHome(): string {
  const { XDG_STATE_HOME, LOCALAPPDATA } = process.env;
  if (XDG_STATE_HOME?.startsWith("/")) return XDG_STATE_HOME;
  if (Deno.build.os === "windows" && LOCALAPPDATA) return LOCALAPPDATA;
  const home = homedir();
  if (home) return join(home, ".local", "state");
  throw new HotplugError(
    "options",
    "There is no home folder to keep the state in; name a folder (--state, option `state`)",
  );
}
