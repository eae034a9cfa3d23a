import { basename } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { checkDaemon, type CheckedPlugin, type DaemonCheck } from "../daemon/mod.ts";
import type { DaemonFlags, DaemonSettings } from "./daemon_settings.ts";
import type { Io } from "./io.ts";
import { print } from "./print.ts";
import { printable } from "./printable.ts";
import { unlessAborted } from "./until_aborted.ts";

/**
 * Says what a daemon of these settings would load and what not, and why.
 *
 * @throws {HotplugError} `config` where something is the matter; `cancelled` where it was told to end before
 * that was clear, or the settings were read.
 */
export async function checkDaemonCommand(
  settings: DaemonSettings | undefined,
  flags: Pick<DaemonFlags, "json">,
  io: Io,
): Promise<void> {
  const check = settings && await unlessAborted(checkDaemon(settings.options), io.signal);
  if (!check) {
    throw new HotplugError("cancelled", "The check was ended before it had found anything");
  }
  const text = flags.json
    ? `${JSON.stringify({ type: "check", ...check })}\n`
    : linesOf(check, settings.configFile).map((line) => `${printable(line)}\n`).join("");
  await print(text, io);
  if (!check.ok) throw new HotplugError("config", "The check found trouble; see above");
}

function linesOf(
  { folders, state, plugins }: DaemonCheck,
  configFile: string | undefined,
): string[] {
  return [
    configFile === undefined ? "no configuration file" : `configuration  ${configFile}`,
    ...folders.flatMap(({ directory, files, misnamed = [], trouble }) => [
      trouble === undefined
        ? `folder  ${directory}: ${files} files`
        : `folder  ${directory}: TROUBLE: ${trouble}`,
      ...misnamed.map((why) => `        not: ${why} [name]`),
    ]),
    ...(state?.trouble === undefined
      ? []
      : [`state  ${state.directory}: TROUBLE: ${state.trouble}`]),
    ...plugins.flatMap(pluginLines),
  ];
}

function pluginLines({ name, scn, path, refused }: CheckedPlugin): string[] {
  return [
    path === undefined
      ? `plugin  ${name}: nothing would be loaded`
      : `plugin  ${name}: ${scn} would be loaded, from ${basename(path)}`,
    ...refused.map(({ code, message }) => `        not: ${message} [${code}]`),
  ];
}
