import { Command, CommanderError } from "commander";
import config from "../deno.json" with { type: "json" };
import { HotplugError } from "../artifact/mod.ts";
import { buildCommand } from "./build.ts";
import { builderCommand } from "./builder.ts";
import { ctlCommand } from "./ctl.ts";
import { daemonCommand } from "./daemon.ts";
import { keygenCommand } from "./keygen.ts";
import type { Io } from "./io.ts";
import { LineQueue } from "./line_queue.ts";
import { refuseMisplacedFlag } from "./misplaced_flag.ts";
import { print } from "./print.ts";
import { printable } from "./printable.ts";
import { verifyCommand } from "./verify.ts";

const EXAMPLES = `
Examples:
  hotplug build ./pricing --dest ./plugins     build a plugin into a directory
  hotplug daemon ./plugins                     keep the newest of all in it loaded
  hotplug ctl status                           how the daemon stands
  hotplug builder                              build for other machines

Exit codes: 0 done, 1 failed, 2 the command was not understood, 75 start it again.
`;

/** Done as asked. */
const DONE = 0;
/** Tried, and failed. */
const FAILED = 1;
/** To be started again: EX_TEMPFAIL of sysexits.h. */
const RESTART = 75;
/** Not tried: the command makes no sense. */
const MISUSE = 2;
/** What ends, and may be started again, though nobody reads why: a full pipe does not hold it up. */
const SERVING: ReadonlySet<string> = new Set(["daemon", "builder"]);

/**
 * Runs the command and answers with its exit code: 0 done, 1 failed, 2 misuse, 75 to be started again.
 *
 * It throws nothing, and ends no process.
 */
export async function main(args: readonly string[], io: Io): Promise<number> {
  try {
    const command = program(io);
    refuseMisplacedFlag(command, args);
    await command.parseAsync([...args], { from: "user" });
    return DONE;
  } catch (error) {
    return await report(error, args, io);
  }
}

function program(io: Io): Command {
  const command = new Command("hotplug")
    .description("Builds, ships and hot-loads Deno plugins.")
    .version(config.version)
    .addHelpText("after", EXAMPLES)
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .showHelpAfterError("Run hotplug --help for what it takes.")
    .exitOverride();
  const subcommands = [
    buildCommand(io),
    builderCommand(io),
    daemonCommand(io),
    ctlCommand(io),
    keygenCommand(io),
    verifyCommand(io),
  ];
  for (const subcommand of subcommands) {
    command.addCommand(subcommand);
    inherit(subcommand, command, `hotplug ${subcommand.name()}`);
  }
  return command;
}

/** With its own subcommands, which were added before it had anything to pass on. */
function inherit(subcommand: Command, command: Command, path: string): void {
  subcommand.copyInheritedSettings(command)
    .showHelpAfterError(`Run ${path} --help for what it takes.`)
    // Flags that a subcommand has as well are its own where they follow its name.
    .enablePositionalOptions(subcommand.commands.length > 0);
  for (const each of subcommand.commands) inherit(each, subcommand, `${path} ${each.name()}`);
}

async function report(error: unknown, args: readonly string[], io: Io): Promise<number> {
  // Commander has printed it already, help and version included.
  const printed = error instanceof CommanderError;
  if (printed && error.exitCode === 0) return DONE;
  const { code, message } = describe(error);
  const json = args.includes("--json") && `${JSON.stringify({ type: "error", code, message })}\n`;
  const text = !printed && `error: ${printable(message)}\n`;
  if (SERVING.has(args[0] ?? "")) {
    await using errors = new LineQueue(io, "stderr");
    await using output = new LineQueue(io, "stdout", errors);
    if (json) output.write(json);
    if (text) errors.write(text);
  } else {
    // That the output can't be written may be the very error to tell; and it is told twice.
    if (json) await print(json, io).catch(() => {});
    if (text) await print(text, io, "stderr").catch(() => {});
  }
  if (code === "memory") return RESTART;
  return code === "options" ? MISUSE : FAILED;
}

function describe(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof CommanderError) {
    const isHelp = error.code === "commander.help";
    if (isHelp) return { code: "options", message: "No command was named; see --help" };
    return { code: "options", message: error.message.replace(/^error: /, "") };
  }
  if (error instanceof HotplugError) return error;
  // Not foreseen: the trace is what helps.
  const message = error instanceof Error ? error.stack ?? error.message : String(error);
  return { code: "unexpected", message };
}
