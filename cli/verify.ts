import { Command } from "commander";
import { formatTarget, targetOf } from "../artifact/mod.ts";
import { type VerifiedArtifact, verifyArtifact } from "../manager/mod.ts";
import { collect, textArgument } from "./argument.ts";
import type { Io } from "./io.ts";
import { readPublicKeys } from "../daemon/config/key_files.ts";
import { printable } from "./printable.ts";

interface Flags {
  readonly trust: readonly string[];
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  hotplug verify plugins/pricing_20261123014512_2_9_5_any_any.mjs --trust release.key.pub
  hotplug verify plugins/pricing_20261123014512_2_9_5_any_any.mjs --trust old.pub --trust new.pub --json

It ends with 0 if a host that trusts these keys would take it for genuine, else with 1, and says why.
Nothing of the artifact runs.
`;

/** The subcommand `hotplug verify`: is an artifact what a trusted key has signed? */
export function verifyCommand(io: Io): Command {
  return new Command("verify")
    .summary("check an artifact's signature and bytes")
    .description("Check that an artifact is whole, and that a trusted key has signed it.")
    .argument("<ARTIFACT>", "the artifact; its info file lies beside it", textArgument)
    .requiredOption(
      "--trust <PUBFILE>",
      "a file of public keys, PEM or JWK; repeat for more",
      collect(textArgument),
    )
    .option("--json", "print one JSON object, and nothing else")
    .addHelpText("after", EXAMPLES)
    .action((artifact: string, flags: Flags) => run(artifact, flags, io));
}

async function run(artifact: string, { trust, json }: Flags, io: Io): Promise<void> {
  const verified = await verifyArtifact(artifact, { trust: await readPublicKeys(trust) });
  io.stdout(json ? `${JSON.stringify(lineOf(verified))}\n` : textOf(verified, io.isTerminal));
}

function lineOf({ path, info, signedBy }: VerifiedArtifact): Record<string, unknown> {
  const { name, scn, artifact, content, permissions } = info;
  const { size, sha256 } = artifact;
  const target = formatTarget(targetOf(info.runtime));
  return {
    type: "verified",
    name,
    scn,
    target,
    path,
    size,
    sha256,
    content,
    permissions,
    signedBy,
  };
}

function textOf({ path, info, signedBy }: VerifiedArtifact, colour: boolean): string {
  const word = colour ? "\x1b[32mverified\x1b[0m" : "verified";
  const ids = signedBy.join(", ");
  return `${word} ${info.name} ${info.scn} ${formatTarget(targetOf(info.runtime))}\n` +
    `  signed by  ${ids}\n  sha256     ${info.artifact.sha256}\n  file       ${printable(path)}\n`;
}
