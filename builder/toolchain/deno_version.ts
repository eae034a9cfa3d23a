import { formatVersion, HotplugError, tryParseVersion } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import { type CommandRunner, runCommand } from "../run_command.ts";

/** Answers with the version of a Deno, as `2.9.5`; it is asked only if it isn't this very one. */
export async function denoVersion(
  deno: string,
  run: CommandRunner = runCommand,
): Promise<string> {
  const said = deno === Deno.execPath() ? Deno.version.deno : await ask(deno, run);
  const version = tryParseVersion(said);
  if (version !== undefined) return formatVersion(version);
  throw new HotplugError(
    "bundle",
    `Cannot build with ${quote(deno)}: it does not say which version of Deno it is; ` +
      `name the path of a Deno`,
  );
}

async function ask(deno: string, run: CommandRunner): Promise<string> {
  try {
    const { stdout } = await run({ program: deno, args: ["--version"], cwd: Deno.cwd(), env: {} });
    return /^deno (\S+)/.exec(stdout)?.[1] ?? "";
  } catch (cause) {
    throw new HotplugError(
      "bundle",
      `Cannot start the Deno ${quote(deno)}: ${(cause as Error).message}; check the path`,
      { cause },
    );
  }
}
