/** A program to run, and how. */
export interface CommandLine {
  /** The program. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Its working folder. */
  readonly cwd: string;
  /** What its environment has beyond this process's. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a program ended. */
export interface CommandOutcome {
  /** Its exit code. */
  readonly code: number;
  /** What it wrote to standard output. */
  readonly stdout: string;
  /** What it wrote to standard error. */
  readonly stderr: string;
}

/** Runs a program to its end; an aborted signal kills it, and the outcome comes all the same. */
export type CommandRunner = (
  command: CommandLine,
  signal?: AbortSignal,
) => Promise<CommandOutcome>;

/** Runs a program as a child of this process, with nothing on its standard input. */
export async function runCommand(
  command: CommandLine,
  signal?: AbortSignal,
): Promise<CommandOutcome> {
  const { program, args, cwd, env } = command;
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch (error) {
      // It ended by itself a moment ago.
      if (!(error instanceof TypeError)) throw error;
    }
  };
  signal?.addEventListener("abort", kill, { once: true });
  if (signal?.aborted) kill();
  try {
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}
