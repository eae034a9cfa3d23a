import { delimiter } from "node:path";
import { isAbsolute, join } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";

/** What finding a Deno needs of the world. */
export interface DenoWorld {
  /** The program of this process. */
  readonly execPath: string;
  /** Whether that is a compiled program, and so no Deno. */
  readonly standalone: boolean;
  /** The value of a variable; undefined where it is not set, or may not be read. */
  readonly variable: (name: string) => string | undefined;
  /** Whether there is a file of that path. */
  readonly isFile: (path: string) => boolean;
}

/**
 * Finds the Deno that runs children: the option, `HOTPLUG_DENO`, the one that runs this process unless
 * it is a compiled program, then `PATH`.
 *
 * @throws {HotplugError} `no-deno` where there is none, or what was named is not there.
 */
export function findDeno(option: string | undefined, world: DenoWorld = realWorld()): string {
  const named = option ?? world.variable("HOTPLUG_DENO");
  if (named !== undefined && named !== "") {
    if (world.isFile(named)) return named;
    const by = option === undefined ? "HOTPLUG_DENO" : `option "deno"`;
    throw noDeno(`there is no "${named}", which ${by} names`);
  }
  if (!world.standalone && world.execPath !== "") return world.execPath;
  const program = Deno.build.os === "windows" ? "deno.exe" : "deno";
  const folders = (world.variable("PATH") ?? "").split(delimiter).filter(isAbsolute);
  const found = folders.map((folder) => join(folder, program)).find(world.isFile);
  if (found !== undefined) return found;
  throw noDeno("this is a compiled program, and there is none in PATH");
}

function noDeno(why: string): HotplugError {
  return new HotplugError(
    "no-deno",
    `Cannot run a process for a plugin: ${why}; install Deno, or name it by option "deno" or ` +
      "HOTPLUG_DENO",
  );
}

function realWorld(): DenoWorld {
  return {
    execPath: attempt(() => Deno.execPath()) ?? "",
    standalone: Deno.build.standalone,
    variable: (name) => mayKnow(name) ? Deno.env.get(name) : undefined,
    isFile: (path) => attempt(() => Deno.statSync(path).isFile) ?? false,
  };
}

/** Asked first: nobody is to be prompted for a variable that need not be there. */
function mayKnow(variable: string): boolean {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}

/** What this process may not know counts as not being there. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
