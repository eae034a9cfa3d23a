/** Whether a program is here, and does what it is asked for with these arguments. */
export function hasProgram(command: string, ...args: readonly string[]): boolean {
  try {
    return new Deno.Command(command, { args: [...args] }).outputSync().success;
  } catch {
    return false;
  }
}

/** Whether `script` is that of util-linux, which gives a command a terminal. */
export function hasScript(): boolean {
  return Deno.build.os === "linux" && hasProgram("script", "--version");
}
