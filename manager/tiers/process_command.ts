import { fromFileUrl, join, toFileUrl } from "@std/path";
import type { Permissions } from "../../artifact/mod.ts";
import { HOST_ARGUMENT, HOST_TEXT } from "../../plugin/mod.ts";
import { childEnv } from "./child_env.ts";
import type { ChildCommand } from "./child_process.ts";
import { permissionFlags } from "./child_permissions.ts";
import type { ResolvedTierSettings } from "../settings/tier_settings.ts";

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

/** The name of what runs a module in a process or worker, beside the module. */
export const HOST_FILE = "host.mjs";

/** What runs a module in a process. */
export interface ModuleProgram {
  /** The Deno that runs it. */
  readonly deno: string;
  /** The URL of the folder that the module lies in. */
  readonly directoryUrl: string;
  /** What it may do. */
  readonly permissions: Permissions;
  /** The most that its heap may take, in MiB. */
  readonly heapLimit: number;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** What is run, and how. */
export type Program = Pick<ChildCommand, "program" | "args" | "env">;

/** Writes what runs in a process or worker into the folder, unless it is there; answers with its URL. */
export async function writeHost(directoryUrl: string): Promise<string> {
  const path = join(fromFileUrl(directoryUrl), HOST_FILE);
  try {
    await Deno.writeTextFile(path, HOST_TEXT, { createNew: true, mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return toFileUrl(path).href;
}

/** The command that runs a module in a Deno of its own. */
export function moduleCommand(
  { deno, directoryUrl, permissions, heapLimit, env }: ModuleProgram,
  hostUrl: string,
): Program {
  const folder = fromFileUrl(directoryUrl);
  // To be imported, the module itself must be readable.
  const read = permissions.read === true ? true : [folder, ...permissions.read ?? []];
  return dieWithParent({
    program: deno,
    args: [
      "run",
      ...FLAGS,
      `--v8-flags=--max-old-space-size=${heapLimit}`,
      ...permissionFlags({ ...permissions, read }),
      fromFileUrl(hostUrl),
      HOST_ARGUMENT,
    ],
    env,
  });
}

/** The command that makes an executable the host of its plugin. */
export function executableCommand(path: string, settings: ResolvedTierSettings): Program {
  const env = {
    ...childEnv(settings.env),
    DENO_V8_FLAGS: `--max-old-space-size=${settings.heapLimit}`,
  };
  return dieWithParent({ program: path, args: [HOST_ARGUMENT], env });
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
