import { joinMessage, type Message, splitMessage } from "./message.ts";
import type { LogRecord } from "./protocol.ts";

/** What goes over the port between a host and its worker; a text is a small message without buffers. */
export type PortMessage =
  | string
  | { readonly message: Message }
  | { readonly log: LogRecord }
  | { readonly exit: number };

/** Up to this length head and text go as one: copying them costs less than an object around them. */
const SMALL = 16 * 1024;

/** Writes a message as it goes over a port. */
export function toPort(message: Message): PortMessage {
  const small = message.buffers.length === 0 && message.text.length < SMALL;
  return small ? joinMessage(message) : { message };
}

/** Reads a text that came over a port. */
export function fromPort(message: string): Message {
  return { ...splitMessage(message), buffers: [] };
}
