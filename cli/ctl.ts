import { Command, InvalidArgumentError, Option } from "commander";
import { HotplugError } from "../artifact/mod.ts";
import { LOG_LEVELS } from "../daemon/mod.ts";
import { collect, nameArgument, numberArgument, scnArgument, textArgument } from "./argument.ts";
import { CtlClient } from "./ctl_client.ts";
import { ctlEvents } from "./ctl_events.ts";
import { type CtlFlags, findDaemon } from "./ctl_find.ts";
import {
  formatAnswer,
  formatPlugin,
  formatPlugins,
  formatQuarantine,
  formatStatus,
} from "./ctl_format.ts";
import type { Io } from "./io.ts";
import { print } from "./print.ts";

/** More than this no daemon takes, nor keeps. */
const MOST_LAST = 999_999_999;

const EXAMPLES = `
Examples:
  hotplug ctl status
  hotplug ctl plugins pricing --watch ./plugins
  hotplug ctl rollback pricing --reason "wrong totals"
  hotplug ctl events --last 20 --json
  hotplug ctl status --control http://10.0.0.5:9090 --token-file ./token

Without --control, --state and --watch it is the daemon of the hotplug.jsonc in this
folder, else the only one of this user that runs.
`;

/** The subcommand `hotplug ctl`: drives a running daemon. */
export function ctlCommand(io: Io): Command {
  const command = withTarget(new Command("ctl"))
    .summary("drive a running daemon, and see how it stands")
    .description("Ask a running hotplug daemon how it stands, or to do something.")
    .addHelpText("after", EXAMPLES)
    .hook("preAction", (_ctl, subcommand) => takeFlagsBefore(subcommand));
  for (const each of [...views(io), ...actions(io), ...settings(io), invoke(io)]) {
    command.addCommand(each);
  }
  return command;
}

function views(io: Io): Command[] {
  return [
    withTarget(new Command("status").description("how the daemon stands"))
      .action((flags: CtlFlags) => ask(io, flags, "GET", "v1/status", undefined, formatStatus)),
    withTarget(
      new Command("plugins")
        .description("the plugins; with a name, its generations in memory")
        .argument("[NAME]", "a plugin's name", nameArgument),
    ).action((name: string | undefined, flags: CtlFlags) =>
      name === undefined
        ? ask(io, flags, "GET", "v1/plugins", undefined, formatPlugins)
        : ask(io, flags, "GET", `v1/plugins/${name}`, undefined, formatPlugin)
    ),
    withTarget(
      new Command("events")
        .description("what happens, as it happens, until ctrl-c or the daemon's end")
        .option("--last <N>", "the newest so many first (default: 0)", lastArgument)
        .option("--no-follow", "end with the newest"),
    ).action((flags: CtlFlags & { readonly last?: number; readonly follow: boolean }) =>
      connected(flags, io, (client) => ctlEvents(client, flags, io))
    ),
  ];
}

function actions(io: Io): Command[] {
  return [
    onPlugin("rollback", "go back to the version before, and keep out what was current")
      .option("--to <SCN>", "the version to go back to", scnArgument)
      .option("--reason <TEXT>", "why", textArgument)
      .action((name: string, { to, reason, ...flags }) =>
        act(io, flags, name, "rollback", { ...(to && { to }), ...(reason && { reason }) })
      ),
    onPlugin("approve", "load a version that waits for an approval")
      .option("--scn <SCN>", "which one (default: the newest)", scnArgument)
      .option("--sha256 <DIGEST>", "only this file of it, as status --json tells it", textArgument)
      .action((name: string, { scn, sha256, ...flags }) =>
        act(io, flags, name, "approve", { ...(scn && { scn }), ...(sha256 && { sha256 }) })
      ),
    onPlugin("freeze", "keep a plugin as it is")
      .action((name: string, flags: CtlFlags) => act(io, flags, name, "freeze", {})),
    onPlugin("thaw", "end a freeze")
      .action((name: string, flags: CtlFlags) => act(io, flags, name, "thaw", {})),
    onPlugin("release", "lift the hold of a rollback")
      .action((name: string, flags: CtlFlags) => act(io, flags, name, "release", {})),
  ];
}

function settings(io: Io): Command[] {
  const quarantine = withTarget(new Command("quarantine"))
    .description("the versions that ended the process twice while they were loading");
  quarantine.addCommand(
    withTarget(new Command("list").description("list them")).action((flags: CtlFlags) =>
      ask(io, flags, "GET", "v1/quarantine", undefined, formatQuarantine)
    ),
    { isDefault: true },
  );
  quarantine.addCommand(
    withTarget(
      new Command("release").description("let one out")
        .argument("<NAME>", "the plugin's name", nameArgument)
        .argument("<SCN>", "the version", scnArgument),
    ).action((name: string, scn: number, flags: CtlFlags) =>
      ask(
        io,
        flags,
        "DELETE",
        `v1/quarantine/${name}/${scn}`,
        undefined,
        () => `${name} ${scn} is out of quarantine\n`,
      )
    ),
  );
  return [
    withTarget(new Command("rescan").description("look at all folders now")).action(
      (flags: CtlFlags) => ask(io, flags, "POST", "v1/rescan", {}, formatStatus),
    ),
    quarantine,
    withTarget(
      new Command("log-level").description("what is logged; with a level, sets it")
        .argument("[LEVEL]", LOG_LEVELS.join(", "), levelArgument),
    ).action((level: string | undefined, flags: CtlFlags) => {
      const print = ({ level }: { level: string }) => `${level}\n`;
      return level === undefined
        ? ask(io, flags, "GET", "v1/log-level", undefined, print)
        : ask(io, flags, "PUT", "v1/log-level", { level }, print);
    }),
  ];
}

function invoke(io: Io): Command {
  return onPlugin("invoke", "call a symbol; only where the daemon has --allow-invoke")
    .argument("<SYMBOL>", "the function's name", textArgument)
    .argument("[JSON...]", "its arguments, each as JSON", collect(jsonArgument))
    .option("--deadline <MS>", "how long it may take (default: 30000)", numberArgument)
    .action((name: string, symbol: string, args: unknown[] | undefined, { deadline, ...flags }) =>
      ask(
        io,
        flags,
        "POST",
        `v1/plugins/${name}/invoke`,
        { symbol, args: args ?? [], ...(deadline !== undefined && { deadline }) },
        ({ result }: { result: unknown }) => `${JSON.stringify(result, undefined, 2)}\n`,
      )
    );
}

function onPlugin(what: string, description: string): Command {
  return withTarget(
    new Command(what).description(description)
      .argument("<NAME>", "the plugin's name", nameArgument),
  );
}

function withTarget(command: Command): Command {
  return command
    .addOption(
      new Option("--state <DIR>", "the daemon of this state folder").argParser(textArgument),
    )
    .addOption(
      new Option(
        "--watch <DIR>",
        "the daemon that watches this folder; repeat where several do",
      )
        .argParser(collect(textArgument)),
    )
    .addOption(new Option("--control <URL>", "the daemon at this address").argParser(urlArgument))
    .addOption(
      new Option("--token-file <FILE>", "a file with the token for --control").argParser(
        textArgument,
      ),
    )
    .option("--json", "print the answer as JSON, and nothing else");
}

/** Gives a subcommand the flags that came before its name, where none of its own says otherwise. */
function takeFlagsBefore(subcommand: Command): void {
  for (let before = subcommand.parent; before; before = before.parent) {
    for (const [flag, value] of Object.entries<unknown>(before.opts())) {
      const own: unknown = subcommand.getOptionValue(flag);
      const both = Array.isArray(value) && Array.isArray(own) ? [...value, ...own] : own ?? value;
      subcommand.setOptionValue(flag, both);
    }
  }
}

async function act(
  io: Io,
  flags: CtlFlags,
  name: string,
  what: string,
  body: unknown,
): Promise<void> {
  await ask(
    io,
    flags,
    "POST",
    `v1/plugins/${name}/${what}`,
    body,
    (answer) => formatAnswer(answer, what),
  );
}

/** Asks, and prints the answer. */
async function ask(
  io: Io,
  flags: CtlFlags,
  method: string,
  path: string,
  body: unknown,
  // deno-lint-ignore no-explicit-any -- what the daemon answers is held against its document by tests
  format: (answer: any) => string,
): Promise<void> {
  await connected(flags, io, async (client) => {
    const answer = await client.ask(method, path, body);
    await print(flags.json ? `${JSON.stringify(answer)}\n` : readably(answer, format), io);
  });
}

// deno-lint-ignore no-explicit-any -- as above
function readably(answer: unknown, format: (answer: any) => string): string {
  try {
    return format(answer);
  } catch (cause) {
    throw new HotplugError(
      "remote",
      "What was answered is not what a daemon of this version answers with: see that it is one, and " +
        "what it says with --json",
      { cause },
    );
  }
}

async function connected(
  flags: CtlFlags,
  io: Io,
  use: (client: CtlClient) => Promise<void>,
): Promise<void> {
  using client = new CtlClient(await findDaemon(flags), io.signal);
  await client.reach();
  await use(client);
}

function urlArgument(text: string): URL {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol)) return new URL(url.pathname.replace(/\/?$/, "/"), url);
  throw new InvalidArgumentError("Give it as http://HOST:PORT.");
}

function lastArgument(text: string): number {
  const last = numberArgument(text);
  if (last <= MOST_LAST) return last;
  throw new InvalidArgumentError(`Give a whole number, from 0 to ${MOST_LAST}.`);
}

function levelArgument(text: string): string {
  if ((LOG_LEVELS as readonly string[]).includes(text)) return text;
  throw new InvalidArgumentError(`Give one of ${LOG_LEVELS.join(", ")}.`);
}

function jsonArgument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError(`It is no JSON; text goes in quotes: '"${text}"'.`);
  }
}
