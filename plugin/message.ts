import { HotplugError } from "../artifact/errors.ts";
import type { Packet } from "./codec.ts";
import type { Outcome } from "./protocol.ts";

/** A message of birpc: a question, or an answer. */
export type RpcMessage =
  | { readonly t: "q"; readonly i?: string; readonly m: string; readonly a: readonly unknown[] }
  | { readonly t: "s"; readonly i: string; readonly r?: Outcome; readonly e?: unknown };

/** A message on its way: whose it is stands outside of the value, and costs no encoding. */
export interface Message extends Packet {
  /** A letter, the number of the call, and of a question after a space its function. */
  readonly head: string;
}

/** What a head says, and how to make a message of it. */
export interface Envelope {
  /** A question or an answer. */
  readonly t: "q" | "s";
  /** The number of its call; undefined where no answer is waited for. */
  readonly i: string | undefined;
  /** Makes the message around its value. */
  open(value: unknown): unknown;
}

/** Parts a message into head and value. */
export function seal(message: RpcMessage): { readonly head: string; readonly value: unknown } {
  if (message.t === "q") return { head: `q${message.i ?? ""} ${message.m}`, value: message.a };
  const { i, r, e } = message;
  if (r === undefined) return { head: `e${i}`, value: e };
  return "thrown" in r ? { head: `t${i}`, value: r.thrown } : { head: `o${i}`, value: r.ok };
}

/**
 * Reads a head.
 *
 * @throws {HotplugError} `protocol` where it is none.
 */
export function readHead(head: string): Envelope {
  const kind = head[0];
  if (kind === "q") {
    const space = head.indexOf(" ");
    if (space < 0) throw rubbish(head);
    const i = space === 1 ? undefined : head.slice(1, space);
    const m = head.slice(space + 1);
    return { t: "q", i, open: (a) => i === undefined ? { t: "q", m, a } : { t: "q", m, a, i } };
  }
  const t = "s";
  const i = head.slice(1);
  if (kind === "o") return { t, i, open: (ok) => ({ t, i, r: { ok } }) };
  if (kind === "t") return { t, i, open: (thrown) => ({ t, i, r: { thrown } }) };
  // birpc takes a falsy error for none.
  if (kind === "e") return { t, i, open: (e) => ({ t, i, e: e || new Error("unknown") }) };
  throw rubbish(head);
}

/** Head and text of a message as one text. */
export function joinMessage({ head, text }: Pick<Message, "head" | "text">): string {
  return `${head}\n${text}`;
}

/** Parts what {@linkcode joinMessage} has joined. */
export function splitMessage(joined: string): { readonly head: string; readonly text: string } {
  const end = joined.indexOf("\n");
  return { head: joined.slice(0, Math.max(0, end)), text: joined.slice(end + 1) };
}

/** What is no message. */
export function rubbish(head: string): HotplugError {
  return new HotplugError(
    "protocol",
    `The other side sent what is no message: ${JSON.stringify(head.slice(0, 80))}`,
  );
}
