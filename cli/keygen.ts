import { Command } from "commander";
import { open, rm } from "node:fs/promises";
import { generateKeyPair, HotplugError } from "../artifact/mod.ts";
import { keyIdArgument, textArgument } from "./argument.ts";
import type { Io } from "./io.ts";
import { printable } from "./printable.ts";

interface Flags {
  readonly out: string;
  readonly id?: string;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  hotplug keygen --out release.key
  hotplug keygen --out release.key --id release-2027

FILE is the private key: it signs (hotplug build --sign FILE); keep it from everyone else.
FILE.pub is the public key: it goes to each host that is to trust what is signed.
`;

/** The subcommand `hotplug keygen`: a new pair of keys, in two files. */
export function keygenCommand(io: Io): Command {
  return new Command("keygen")
    .summary("make a pair of keys to sign with")
    .description("Make a pair of keys of Ed25519, to sign artifacts with and to verify them.")
    .requiredOption(
      "-o, --out <FILE>",
      "the file of the private key; that of the public one is FILE.pub. Neither may be there",
      textArgument,
    )
    .option(
      "--id <ID>",
      "what signatures name the key by; the files are JWK then (default: the key's SHA-256, and PEM)",
      keyIdArgument,
    )
    .option("--json", "print one JSON object, and nothing else")
    .addHelpText("after", EXAMPLES)
    .action((flags: Flags) => run(flags, io));
}

async function run({ out, id, json }: Flags, io: Io): Promise<void> {
  const pair = await generateKeyPair(id === undefined ? {} : { id });
  const publicFile = `${out}.pub`;
  await create(out, pair.privateKey, 0o600);
  try {
    await create(publicFile, pair.publicKey, 0o644);
  } catch (error) {
    await rm(out, { force: true });
    throw error;
  }
  const line = { type: "keys", id: pair.id, privateKey: out, publicKey: publicFile };
  io.stdout(
    json
      ? `${JSON.stringify(line)}\n`
      : `made key ${pair.id}\n  private  ${printable(out)}\n  public   ${printable(publicFile)}\n`,
  );
}

/** Makes a file that was not there; one that is cut short does not stay. */
async function create(path: string, text: string, mode: number): Promise<void> {
  let made = false;
  try {
    const file = await open(path, "wx", mode);
    made = true;
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (made) await rm(path, { force: true });
    const exists = (cause as { code?: unknown }).code === "EEXIST";
    const why = exists
      ? "it is there already, and no key is overwritten"
      : (cause as Error).message;
    throw new HotplugError("io", `Cannot make the key file "${path}": ${why}`, { cause });
  }
}
