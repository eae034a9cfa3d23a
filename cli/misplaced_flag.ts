import type { Command } from "commander";
import { HotplugError } from "../artifact/mod.ts";

/**
 * Refuses a flag of a subcommand that comes before its name, and says where it goes: what the command
 * itself takes would be no help.
 *
 * @throws {HotplugError} `options` where there is one.
 */
export function refuseMisplacedFlag(command: Command, args: readonly string[]): void {
  const flag = /^--[^=]+/.exec(args[0] ?? "")?.[0];
  if (flag === undefined || has(command, flag)) return;
  const rest = args.slice(args[0] === flag && takesValue(command, flag) ? 2 : 1);
  const [meant] = rest.flatMap((each) => command.commands.filter((one) => one.name() === each));
  if (!meant || !has(meant, flag)) return;
  const path = `${command.name()} ${meant.name()}`;
  throw new HotplugError(
    "options",
    `"${flag}" goes after the name of the command that takes it: ${path} ${flag} …; run ${path} --help ` +
      "for what else it takes",
  );
}

/** Of any of its commands: what follows it is no command's name then, whatever it is. */
function takesValue({ commands }: Command, flag: string): boolean {
  return commands.some(({ options }) =>
    options.some(({ long, required }) => long === flag && required)
  );
}

function has({ options }: Command, flag: string): boolean {
  return options.some(({ long }) => long === flag);
}
