import { hasProgram } from "./_program.ts";

/** Runs a command as root without the right to read everything. */
const SETPRIV = [
  "setpriv",
  "--bounding-set=-dac_override,-dac_read_search",
  "--inh-caps=-dac_override,-dac_read_search",
];

/** What comes before a command that is not to read everything; undefined where there is no way. */
export const UNPRIVILEGED: readonly string[] | undefined = wrapper();

function wrapper(): readonly string[] | undefined {
  if (Deno.build.os === "windows") return undefined;
  if (Deno.uid() !== 0) return [];
  const [command = "", ...args] = SETPRIV;
  return hasProgram(command, ...args, "true") ? SETPRIV : undefined;
}
