import { Command, Option } from "commander";
import { LOG_LEVELS } from "../daemon/mod.ts";
import {
  addressArgument,
  collect,
  mebibyteArgument,
  numberArgument,
  portArgument,
  scnArgument,
  textArgument,
} from "./argument.ts";
import { checkDaemonCommand } from "./check_daemon.ts";
import { type DaemonFlags, daemonSettings } from "./daemon_settings.ts";
import type { Io } from "./io.ts";
import { runDaemon } from "./run_daemon.ts";
import { unlessAborted } from "./until_aborted.ts";

const EXAMPLES = `
Examples:
  hotplug daemon ./plugins
  hotplug daemon ./plugins --trust release.key.pub
  hotplug daemon ./plugins ./more --initial-scn 20261123000000 --json
  hotplug daemon ./plugins --gateway 8080
  hotplug daemon --config /etc/hotplug/hotplug.jsonc --check

It ends on SIGINT (ctrl-c) and SIGTERM, once calls under way have ended; a second
signal ends it at once. SIGHUP lets it read its configuration again.
What plugins print goes to standard error. hotplug ctl drives it and tells how it stands.
Plugins run in the daemon's own process, with its permissions: watch only directories
that nobody writes into whom you would not let run code, or give --trust.
`;

/** The subcommand `hotplug daemon`: watches directories until told to end. */
export function daemonCommand(io: Io): Command {
  const command = new Command("daemon")
    .summary("watch directories and keep the newest of each plugin loaded")
    .description("Watch directories, load the newest version of each plugin, swap newer ones in.")
    .argument(
      "[DIR...]",
      "the directories to watch; one that is not there yet is waited for",
      collect(textArgument),
    );
  for (const option of options()) command.addOption(option);
  return command
    .addHelpText("after", EXAMPLES)
    .action(async (directories: readonly string[] | undefined, flags: DaemonFlags) => {
      // By itself it would end what is about to read its configuration anyway.
      using _hangup = flags.check ? undefined : io.onHangup?.(() => {});
      const reading = daemonSettings(directories ?? [], flags);
      const settings = await unlessAborted(reading, io.signal);
      if (settings?.options.watch.length === 0) {
        command.error("error: missing required argument 'DIR'");
      }
      if (flags.check) await checkDaemonCommand(settings, flags, io);
      else if (settings) await runDaemon(settings, flags, io);
    });
}

function options(): Option[] {
  return [
    new Option(
      "--config <FILE>",
      "read this configuration file; flags go before it (default: hotplug.jsonc in this folder, " +
        "if there is one)",
    ).argParser(textArgument),
    new Option("--no-config", "read no configuration file"),
    new Option("--check", "say what would be loaded and what not, and why; nothing runs"),
    new Option(
      "--initial-scn <SCN>",
      "refuse what is older than these 14 digits in UTC",
    ).argParser(scnArgument),
    new Option(
      "--trust <PUBFILE>",
      "load only what is signed by a key in this file (hotplug keygen); repeat for more",
    ).argParser(collect(textArgument)),
    new Option(
      "--approve <RULE>",
      "more: leave out versions that ask for more permissions than the one that runs; " +
        "all: first versions too; none: load them (default: more)",
    ).choices(["more", "all", "none"]),
    new Option("--recursive", "watch the folders in the directories too"),
    new Option(
      "--poll <MS>",
      "list the directories each so many milliseconds, and don't wait to be told of changes; " +
        "0: wait for that, whatever the configuration says",
    ).argParser(numberArgument),
    new Option(
      "--state <DIR>",
      "the folder for what outlives the process (default: one of its own for the same directories, " +
        "in $XDG_STATE_HOME/hotplug)",
    ).argParser(textArgument),
    new Option("--no-state", "let nothing outlive the process"),
    new Option("--memory-soft <MIB>", "past so much memory load nothing more")
      .argParser(mebibyteArgument),
    new Option("--memory-hard <MIB>", "past so much memory say so, or end: --exit-on-memory")
      .argParser(mebibyteArgument),
    new Option("--exit-on-memory", "past the hard limit drain, and exit with 75"),
    new Option(
      "--stop-deadline <MS>",
      "how long calls under way may hold up the end (default: 10000)",
    ).argParser(numberArgument),
    new Option(
      "--control <HOST:PORT>",
      "let it be controlled over TCP as well, with a token; port 0 is any that is free",
    ).argParser(addressArgument),
    new Option("--no-control", "let it be controlled by nobody"),
    new Option(
      "--token-file <FILE>",
      "the token for --control (default: control.token in the state folder, made if missing)",
    ).argParser(textArgument),
    new Option(
      "--gateway <[HOST:]PORT>",
      "serve plugins by http at /NAME/: those that export default { fetch(request) }",
    ).argParser(portArgument),
    new Option("--allow-invoke", "let whoever controls it call what plugins export"),
    new Option("--log-level <LEVEL>", "log from this weight on (default: info)")
      .choices([...LOG_LEVELS]),
    new Option("--log <FORMAT>", "how to log (default: pretty)").choices(["pretty", "json"]),
    new Option("--json", "print one JSON object a line for each event, and nothing else"),
  ];
}
