import { basename } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { checkDaemon, type CheckedPlugin, type DaemonCheck } from "../daemon/mod.ts";
import type { DaemonFlags, DaemonSettings } from "./daemon_settings.ts";
import type { Io } from "./io.ts";
import { printable } from "./printable.ts";

/**
 * Says what a daemon of these settings would load and what not, and why.
 *
 * @throws {HotplugError} `config` where something is the matter.
 */
export async function checkDaemonCommand(
  { options, configFile }: DaemonSettings,
  flags: Pick<DaemonFlags, "json">,
  io: Io,
): Promise<void> {
  const check = await checkDaemon(options);
  if (flags.json) io.stdout(`${JSON.stringify({ type: "check", ...check })}\n`);
  else for (const line of linesOf(check, configFile)) io.stdout(`${printable(line)}\n`);
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
