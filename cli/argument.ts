import { InvalidArgumentError } from "commander";
import {
  assertPluginName,
  formatTarget,
  HotplugError,
  parseScn,
  parseTarget,
  type Scn,
} from "../artifact/mod.ts";
import { checkKeyId } from "../artifact/key.ts";

/** An SCN as somebody typed it. */
export function scnArgument(text: string): Scn {
  return asArgument(() => parseScn(text));
}

/** A plugin's name as somebody typed it. */
export function nameArgument(text: string): string {
  asArgument(() => assertPluginName(text));
  return text;
}

/** The id of a key as somebody typed it. */
export function keyIdArgument(text: string): string {
  return asArgument(() => checkKeyId(text));
}

/** A target in any of its spellings; answers with the usual one. */
export function targetArgument(text: string): string {
  return formatTarget(asArgument(() => parseTarget(text)));
}

/** A path, or what else may be any text; an empty one is a shell variable that was not set. */
export function textArgument(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("It is empty.");
}

/** A whole number, 0 or more. */
export function numberArgument(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError("Give a whole number, 0 or more.");
}

/** So many MiB, as somebody typed it. */
export function mebibyteArgument(text: string): number {
  const number = numberArgument(text);
  if (number >= 1 && number <= MOST_MEBIBYTES) return number;
  throw new InvalidArgumentError(`Give a number of MiB, from 1 to ${MOST_MEBIBYTES}.`);
}

/** More are no safe integer of bytes. */
const MOST_MEBIBYTES = Math.floor(Number.MAX_SAFE_INTEGER / 2 ** 20);

/** Where to listen. */
export interface Address {
  /** A name or an address. */
  readonly hostname: string;
  /** The port; 0 for any that is free. */
  readonly port: number;
}

/** A host and a port, as somebody typed it: `HOST:PORT`, an IPv6 address in brackets. */
export function addressArgument(text: string): Address {
  return readAddress(text, "HOST:PORT, as 127.0.0.1:9090");
}

/** As {@linkcode addressArgument}; a port alone is one of this machine's own. */
export function portArgument(text: string): Address {
  const address = /^\d+$/.test(text) ? `127.0.0.1:${text}` : text;
  return readAddress(address, "[HOST:]PORT, as 8080 or 127.0.0.1:8080");
}

function readAddress(text: string, form: string): Address {
  const [, hostname = "", port = ""] = /^(\[[\da-f:.]+\]|[^:\s/]+):(\d{1,5})$/i.exec(text) ?? [];
  if (hostname !== "" && Number(port) <= 65_535) return { hostname, port: Number(port) };
  if (hostname !== "") throw new InvalidArgumentError("A port is at most 65535.");
  throw new InvalidArgumentError(`Give it as ${form}.`);
}

/** For an option that may be repeated. */
export function collect<T>(
  read: (text: string) => T,
): (text: string, before?: readonly T[]) => readonly T[] {
  return (text, before = []) => [...before, read(text)];
}

/** What can't be read is a misuse of the command, and commander's to report. */
function asArgument<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof HotplugError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}
