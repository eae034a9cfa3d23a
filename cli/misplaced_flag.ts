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
  const meant = command.commands.find((each) => args.includes(each.name()));
  if (!meant || !has(meant, flag)) return;
  const path = `${command.name()} ${meant.name()}`;
  throw new HotplugError(
    "options",
    `"${flag}" goes after the name of the command that takes it: ${path} ${flag} …; run ${path} --help ` +
      "for what else it takes",
  );
}

function has({ options }: Command, flag: string): boolean {
  return options.some(({ long }) => long === flag);
}
