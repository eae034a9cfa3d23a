import { fromFileUrl, join, toFileUrl } from "@std/path";
import type { Permissions } from "../artifact/mod.ts";
import { HOST_ARGUMENT, HOST_TEXT } from "../plugin/mod.ts";
import type { ChildCommand } from "./child_process.ts";
import { permissionFlags } from "./child_permissions.ts";
import type { ResolvedTierSettings } from "./tier_settings.ts";

/** What every Deno that runs a plugin is told: nothing is asked, fetched, found by itself or kept. */
const FLAGS: readonly string[] = [
  "--quiet",
  "--no-prompt",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--no-code-cache",
  "--no-check",
];

/** What runs a module in a process. */
export interface ModuleProgram {
  /** The Deno that runs it. */
  readonly deno: string;
  /** The URL of the folder that the module lies in. */
  readonly directoryUrl: string;
  /** What it may do. */
  readonly permissions: Permissions;
}

type Program = Pick<ChildCommand, "program" | "args" | "env">;

/** Writes what runs in a process or worker into the folder; answers with its URL. */
export async function writeHost(directoryUrl: string): Promise<string> {
  const path = join(fromFileUrl(directoryUrl), "host.mjs");
  await Deno.writeTextFile(path, HOST_TEXT, { createNew: true, mode: 0o600 });
  return toFileUrl(path).href;
}

/** The command that runs a module in a Deno of its own. */
export function moduleCommand(
  { deno, directoryUrl, permissions }: ModuleProgram,
  hostUrl: string,
  settings: ResolvedTierSettings,
): Program {
  const folder = fromFileUrl(directoryUrl);
  // To be imported, the module itself must be readable.
  const read = permissions.read === true ? true : [folder, ...permissions.read ?? []];
  return dieWithParent({
    program: deno,
    args: [
      "run",
      ...FLAGS,
      `--v8-flags=--max-old-space-size=${settings.heapLimit}`,
      ...permissionFlags({ ...permissions, read }),
      fromFileUrl(hostUrl),
      HOST_ARGUMENT,
    ],
    env: childEnv(settings),
  });
}

/** The command that makes an executable the host of its plugin. */
export function executableCommand(path: string, settings: ResolvedTierSettings): Program {
  const env = {
    ...childEnv(settings),
    DENO_V8_FLAGS: `--max-old-space-size=${settings.heapLimit}`,
  };
  return dieWithParent({ program: path, args: [HOST_ARGUMENT], env });
}

/** What the host lists, and without which no program runs on Windows. */
function childEnv({ env }: ResolvedTierSettings): Record<string, string> {
  const own = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  const needed = Deno.build.os === "windows" ? ["SystemRoot", "TEMP", "TMP"] : [];
  const listed = isList(env) ? pick([...needed, ...env]) : { ...pick(needed), ...env };
  return { ...own, ...listed };
}

function isList(env: ResolvedTierSettings["env"]): env is readonly string[] {
  return Array.isArray(env);
}

function pick(names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(
    entries.filter((each): each is [string, string] => each[1] !== undefined),
  );
}

let setpriv: string | false | undefined;

/**
 * On Linux, where `setpriv` is there, the kernel kills the process when this one ends, however that
 * comes about; elsewhere the process ends itself when its input does, unless it is busy.
 */
function dieWithParent(command: Program): Program {
  setpriv ??= findSetpriv();
  if (setpriv === false) return command;
  const { program, args, env } = command;
  return { program: setpriv, args: ["--pdeathsig", "KILL", "--", program, ...args], env };
}

function findSetpriv(): string | false {
  if (Deno.build.os !== "linux") return false;
  const found = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
  return found ?? false;
}
