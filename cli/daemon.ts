import { Command } from "commander";
import type { Scn } from "../artifact/mod.ts";
import { PluginDaemon } from "../daemon/mod.ts";
import { collect, scnArgument, textArgument } from "./argument.ts";
import { formatEvent } from "./format_event.ts";
import type { Io } from "./io.ts";
import { printable } from "./printable.ts";
import { stdoutToStderr } from "./stdout_to_stderr.ts";

interface Flags {
  readonly initialScn?: Scn;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  hotplug daemon ./plugins
  hotplug daemon ./plugins ./more --initial-scn 20261123000000 --json

It ends on SIGINT (ctrl-c) and SIGTERM. What plugins print goes to standard error.
Plugins run in the daemon's own process, with its permissions: watch only directories
that nobody writes into whom you would not let run code.
`;

/** The subcommand `hotplug daemon`: watches directories until told to end. */
export function daemonCommand(io: Io): Command {
  return new Command("daemon")
    .summary("watch directories and keep the newest of each plugin loaded")
    .description("Watch directories, load the newest version of each plugin, swap newer ones in.")
    .argument(
      "<DIR...>",
      "the directories to watch; one that is not there yet is waited for",
      collect(textArgument),
    )
    .option("--initial-scn <SCN>", "refuse what is older than these 14 digits in UTC", scnArgument)
    .option("--json", "print one JSON object a line for each event, and nothing else")
    .addHelpText("after", EXAMPLES)
    .action((directories: readonly string[], flags: Flags) => run(directories, flags, io));
}

async function run(directories: readonly string[], flags: Flags, io: Io): Promise<void> {
  // Taken first: a plugin may print as soon as it is loaded.
  using _redirected = stdoutToStderr();
  await using daemon = new PluginDaemon({
    watch: directories,
    ...(flags.initialScn !== undefined && { initialScn: flags.initialScn }),
  });
  const print = lossy(io);
  daemon.subscribe((event) => {
    print(flags.json ? `${JSON.stringify(event)}\n` : formatEvent(event, io.isTerminal));
  });
  const ended = aborted(io.signal);
  await Promise.race([daemon.start(), ended]);
  await ended;
  await daemon.close();
}

/** Prints what can be printed: a full disk is no reason to end what serves. */
function lossy(io: Io): (text: string) => void {
  let failing = false;
  return (text) => {
    try {
      io.stdout(text);
      failing = false;
    } catch (error) {
      // Once, until it works again: a line for each would fill what is left.
      if (!failing) io.stderr(`error: ${printable((error as Error).message)}\n`);
      failing = true;
    }
  };
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}
