import { Command, Option } from "commander";
import type { Scn } from "../artifact/mod.ts";
import { PluginDaemon } from "../daemon/mod.ts";
import { collect, numberArgument, scnArgument, textArgument } from "./argument.ts";
import { formatEvent } from "./format_event.ts";
import type { Io } from "./io.ts";
import { readPublicKeys } from "./key_file.ts";
import { lossy } from "./lossy.ts";
import { stdoutToStderr } from "./stdout_to_stderr.ts";
import { untilAborted } from "./until_aborted.ts";

interface Flags {
  readonly initialScn?: Scn;
  readonly trust?: readonly string[];
  readonly approve?: "more" | "none";
  readonly state?: string | boolean;
  readonly recursive?: true;
  readonly poll?: number;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  hotplug daemon ./plugins
  hotplug daemon ./plugins --trust release.key.pub
  hotplug daemon ./plugins ./more --initial-scn 20261123000000 --json

It ends on SIGINT (ctrl-c) and SIGTERM. What plugins print goes to standard error.
Plugins run in the daemon's own process, with its permissions: watch only directories
that nobody writes into whom you would not let run code, or give --trust.
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
    .option(
      "--trust <PUBFILE>",
      "load only what is signed by a key in this file (hotplug keygen); repeat for more",
      collect(textArgument),
    )
    .addOption(
      new Option(
        "--approve <RULE>",
        "more: leave out versions that ask for more permissions than the one that runs; " +
          "none: load them (default: more)",
      ).choices(["more", "none"]),
    )
    .option("--recursive", "watch the folders in the directories too")
    .option(
      "--poll <MS>",
      "list the directories each so many milliseconds, and don't wait to be told of changes",
      numberArgument,
    )
    .option(
      "--state <DIR>",
      "the folder for what outlives the process (default: one of its own for the same directories, " +
        "in $XDG_STATE_HOME/hotplug)",
      textArgument,
    )
    .option("--no-state", "let nothing outlive the process")
    .option("--json", "print one JSON object a line for each event, and nothing else")
    .addHelpText("after", EXAMPLES)
    .action((directories: readonly string[], flags: Flags) => run(directories, flags, io));
}

async function run(directories: readonly string[], flags: Flags, io: Io): Promise<void> {
  // Taken first: a plugin may print as soon as it is loaded.
  using _redirected = stdoutToStderr();
  const { initialScn, trust, approve, state = true, recursive, poll } = flags;
  await using daemon = new PluginDaemon({
    watch: directories,
    state,
    ...(recursive && { recursive }),
    ...(poll !== undefined && { poll }),
    ...(initialScn !== undefined && { initialScn }),
    ...(trust && { trust: await readPublicKeys(trust) }),
    ...(approve && { approve }),
  });
  const print = lossy(io);
  daemon.subscribe((event) => {
    print(flags.json ? `${JSON.stringify(event)}\n` : formatEvent(event, io.isTerminal));
  });
  const ended = untilAborted(io.signal);
  await Promise.race([daemon.start(), ended]);
  await ended;
  await daemon.close();
}
