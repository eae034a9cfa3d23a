/** Whether `script` is that of util-linux, which gives a command a terminal. */
export function hasScript(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const { success } = new Deno.Command("script", { args: ["--version"] }).outputSync();
    return success;
  } catch {
    return false;
  }
}
