import { Command } from "commander";
import { BuildService, type BuildServiceEvent } from "../builder/mod.ts";
import { numberArgument, textArgument } from "./argument.ts";
import { collectEnv } from "./collect_env.ts";
import { formatServiceEvent } from "./format_service_event.ts";
import type { Io } from "./io.ts";
import { LineQueue } from "./line_queue.ts";
import { readToken } from "./read_token.ts";
import { untilAborted } from "./until_aborted.ts";

interface Flags {
  readonly port?: number;
  readonly host?: string;
  readonly tokenFile?: string;
  readonly builds?: number;
  readonly queue?: number;
  readonly bodyLimit?: number;
  readonly timeLimit?: number;
  readonly drain?: number;
  readonly cacheDir?: string;
  readonly workDir?: string;
  readonly denortMirror?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  hotplug builder --port 8089
  hotplug builder --host 0.0.0.0 --token-file /run/secrets/builder
  hotplug build ./pricing --dest ./plugins --remote http://127.0.0.1:8089

It ends on SIGINT (ctrl-c) and SIGTERM, once the builds under way are done or their time
to drain is over. It speaks plain http: before other machines, put it behind what speaks
TLS. Whoever may ask for builds makes this machine fetch packages and spend its time.
`;

/** The subcommand `hotplug builder`: builds for others until told to end. */
export function builderCommand(io: Io): Command {
  return new Command("builder")
    .summary("build for other machines, by http")
    .description(
      "Serve builds: what `hotplug build --remote URL` uses in the place of its machine.",
    )
    .option("-p, --port <PORT>", "the port; 0 is any that is free (default: 8089)", numberArgument)
    .option(
      "--host <ADDRESS>",
      "the address to listen on; others than 127.0.0.1 need a token",
      textArgument,
    )
    .option("--token-file <FILE>", "a file with the token that requests must bring", textArgument)
    .option(
      "--builds <N>",
      "how many run side by side (default: one for each core)",
      numberArgument,
    )
    .option(
      "--queue <N>",
      "how many may wait; past it the answer is 429 (default: 16)",
      numberArgument,
    )
    .option("--body-limit <BYTES>", "the largest request (default: 67108864)", numberArgument)
    .option("--time-limit <MS>", "how long a build may take (default: 600000)", numberArgument)
    .option("--drain <MS>", "how long builds may go on at the end (default: 10000)", numberArgument)
    .option(
      "--cache-dir <DIR>",
      "where builds keep what they fetch (default: in the user's cache folder)",
      textArgument,
    )
    .option(
      "--work-dir <DIR>",
      "where builds have their private folders (default: the temporary folder)",
      textArgument,
    )
    .option(
      "--denort-mirror <URL_OR_DIR>",
      "where the bases of executables come from (default: Deno's own)",
      textArgument,
    )
    .option(
      "--env <NAME=VALUE>",
      "a variable for the builds, which have no others; repeat for more",
      collectEnv,
    )
    .option("--json", "print one JSON object a line for each event, and nothing else")
    .addHelpText("after", EXAMPLES)
    .action((flags: Flags) => run(flags, io));
}

async function run(flags: Flags, io: Io): Promise<void> {
  const { port, host: hostname, tokenFile, bodyLimit: bodyBytes, drain: drainTime, json } = flags;
  const { builds, queue, timeLimit, cacheDir, workDir, denortMirror, env } = flags;
  const token = tokenFile === undefined ? undefined : await readToken(tokenFile);
  const options = { port, hostname, token, builds, queue, bodyBytes, timeLimit, drainTime };
  const given = Object.entries({ ...options, cacheDir, workDir, denortMirror, env }).filter(
    ([, value]) => value !== undefined,
  );
  await using errors = new LineQueue(io, "stderr");
  await using lines = new LineQueue(io, "stdout", errors);
  await using service = new BuildService({
    ...Object.fromEntries(given),
    onEvent: (event: BuildServiceEvent) =>
      lines.write(
        json ? `${JSON.stringify(event)}\n` : formatServiceEvent(event, new Date(), io.isTerminal),
      ),
  });
  await service.start();
  await untilAborted(io.signal);
  await service.close();
}
