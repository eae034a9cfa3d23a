import { fromFileUrl, join, toFileUrl } from "@std/path";

/** What a child process left. */
export interface ScriptResult {
  /** Its exit code. */
  readonly code: number;
  /** What it wrote to standard output. */
  readonly stdout: string;
  /** What it wrote to standard error. */
  readonly stderr: string;
}

const ROOT = new URL("../", import.meta.url);
const CONFIG = fromFileUrl(new URL("deno.json", ROOT));
let count = 0;

/**
 * Starts a Deno process that runs the source, with the project's imports and, unless told
 * otherwise, all permissions.
 *
 * `project:` at the begin of a specifier stands for the project's folder. Its folder for temporary
 * files is the given directory. A wrapper is a command that runs the command that follows it.
 */
export async function startScript(
  directory: string,
  source: string,
  permissions: readonly string[] = ["-A"],
  wrapper: readonly string[] = [],
): Promise<Deno.ChildProcess> {
  const path = join(directory, `script_${++count}.ts`);
  await Deno.writeTextFile(path, source.replaceAll(`"project:`, `"${ROOT.href}`));
  const [command = "", ...before] = [...wrapper, Deno.execPath()];
  return new Deno.Command(command, {
    args: [
      ...before,
      "run",
      ...permissions,
      "--no-check",
      "--config",
      CONFIG,
      toFileUrl(path).href,
    ],
    env: { TMPDIR: directory, TEMP: directory, TMP: directory, NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the source in a Deno process to its end; see {@linkcode startScript}. */
export async function runScript(
  directory: string,
  source: string,
  permissions?: readonly string[],
  wrapper?: readonly string[],
): Promise<ScriptResult> {
  const child = await startScript(directory, source, permissions, wrapper);
  await child.stdin.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs the source where hardly more files can be opened than it takes to start; not on Windows. */
export async function runWithFewFiles(directory: string, source: string): Promise<ScriptResult> {
  return await runScript(directory, source, ["-A"], ["sh", "-c", 'ulimit -n 100; exec "$@"', "sh"]);
}

/** The JSON objects among the lines. */
export function jsonLines<T>(text: string): T[] {
  return text.split("\n").filter((line) => line.startsWith("{")).map((line) =>
    JSON.parse(line) as T
  );
}
