import { fromFileUrl } from "@std/path";
import { hasProgram } from "./_program.ts";
import type { TempDirectory } from "./_temp.ts";

/** Runs a command as root without the right to read everything. */
const SETPRIV = [
  "setpriv",
  "--bounding-set=-dac_override,-dac_read_search",
  "--inh-caps=-dac_override,-dac_read_search",
];

/** What makes a command one that can't read everything; undefined where there is no way. */
function unprivileged(): string[] | undefined {
  if (Deno.uid() !== 0) return [];
  const [command = "", ...args] = SETPRIV;
  return hasProgram(command, ...args, "true") ? SETPRIV : undefined;
}

/** Whether there is a way: root reads everything, then it takes setpriv. */
export const CAN_BE_UNPRIVILEGED: boolean = Deno.build.os !== "windows" &&
  unprivileged() !== undefined;

/** Runs a script, which imports from the project by `ROOT/`, as somebody who can't read everything. */
export async function runUnprivileged(
  directory: TempDirectory,
  source: string,
): Promise<{ readonly text: string; readonly errors: string }> {
  const script = directory.file("host.ts");
  const root = new URL("../", import.meta.url);
  await Deno.writeTextFile(script, source.replaceAll("ROOT/", root.href));
  const deno = [Deno.execPath(), "run", "-A", "--no-check", "--cached-only"];
  const run = [...deno, `--config=${fromFileUrl(new URL("deno.json", root))}`, script];
  const [command = "", ...args] = [...unprivileged() ?? [], ...run];
  const env = { TMPDIR: directory.path, NO_COLOR: "1" };
  const { stdout, stderr } = await new Deno.Command(command, { args, env }).output();
  const [text = "", errors = ""] = [stdout, stderr].map((each) => new TextDecoder().decode(each));
  return { text, errors };
}
