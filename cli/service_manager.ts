import process from "node:process";
import { someTime } from "./some_time.ts";

/** Who watches over this process, as systemd does for services of `Type=notify`. */
export interface ServiceManager extends AsyncDisposable {
  /**
   * Tells how it stands, as `READY=1` or `STATUS=…`; several by line breaks. Each goes out after those before
   * it; nobody waits for that: a service manager may stand still.
   */
  notify(state: string): void;
}

/** It pings at least so often, in milliseconds: what no timer can hold would be none at all. */
const MOST_INTERVAL = 60 * 60 * 1_000;
/** How long it is waited for who does not take what it is told, in milliseconds. */
const PATIENCE = 1_000;
const NOT_READ = "it does not read what it is told";

/** Sends messages to a socket; disposed of, it gives up what is under way. */
interface Sender extends Disposable {
  send(message: string): Promise<void>;
}

interface Datagrams {
  send(bytes: Uint8Array, to: { readonly transport: "unixpacket"; readonly path: string }): unknown;
  close(): void;
}

const NOBODY: ServiceManager = {
  notify: () => {},
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/**
 * Finds who watches over this process, by the environment that systemd gives it; and, if asked to,
 * tells them regularly that its main loop turns: twice within the time that they wait, and once an hour
 * at least.
 *
 * A message is a datagram. Deno sends one only with `--unstable-net`, in 0.08 ms; without, the
 * program `systemd-notify` does, in 8 ms, and the unit must say `NotifyAccess=all`.
 *
 * What can't be told is warned of, once.
 */
export function findServiceManager(warn: (message: string) => void): ServiceManager {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = process.env;
  if (!NOTIFY_SOCKET) return NOBODY;
  const messages = new MessageQueue(byDatagram(NOTIFY_SOCKET) ?? byChild(NOTIFY_SOCKET), warn);
  const mine = WATCHDOG_PID === undefined || WATCHDOG_PID === String(Deno.pid);
  const interval = mine ? Number(WATCHDOG_USEC) / 1000 / 2 : NaN;
  const ping = (): void => messages.push("WATCHDOG=1");
  const timer = interval > 0 ? setInterval(ping, Math.min(interval, MOST_INTERVAL)) : undefined;
  return {
    notify: (state) => messages.push(state),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await messages.close();
    },
  };
}

/** Sends one message after the other. */
class MessageQueue {
  readonly #sender: Sender;
  readonly #warn: (message: string) => void;
  /** By kind, in their order. */
  readonly #waiting = new Map<string, string>();
  #running: Promise<void> | undefined;
  #warned = false;

  constructor(sender: Sender, warn: (message: string) => void) {
    this.#sender = sender;
    this.#warn = warn;
  }

  push(message: string): void {
    // A newer one takes the place of one that still waits: there is one of each kind at most.
    const [kind = ""] = message.split("=", 1);
    this.#waiting.delete(kind);
    this.#waiting.set(kind, message);
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    if (this.#running) await someTime(this.#running, PATIENCE);
    // What is under way is given up, and fails by that.
    if (this.#running) this.#warnOnce(NOT_READ);
    this.#waiting.clear();
    this.#sender[Symbol.dispose]();
  }

  async #run(): Promise<void> {
    for (const [kind, message] of this.#waiting) {
      this.#waiting.delete(kind);
      const slow = setTimeout(() => this.#warnOnce(NOT_READ), PATIENCE);
      try {
        await this.#sender.send(message);
      } catch (error) {
        this.#warnOnce((error as Error).message);
      }
      clearTimeout(slow);
    }
    this.#running = undefined;
  }

  #warnOnce(why: string): void {
    if (!this.#warned) this.#warn(`cannot tell the service manager: ${why}`);
    this.#warned = true;
  }
}

/** Undefined where Deno was not told to have them. */
function byDatagram(socket: string): Sender | undefined {
  const { listenDatagram } = Deno as unknown as {
    listenDatagram?: (
      address: { readonly transport: "unixpacket"; readonly path: string },
    ) => Datagrams;
  };
  // A name of Linux's own for who sends: there is no file of it to be removed. The id alone may be
  // taken: containers that share the network have processes of the same ids.
  const path = `\0hotplug-${Deno.pid}-${crypto.randomUUID()}`;
  const datagrams = listenDatagram?.({ transport: "unixpacket", path });
  const to = { transport: "unixpacket", path: socket.replace(/^@/, "\0") } as const;
  const encoder = new TextEncoder();
  return datagrams && {
    async send(message) {
      await datagrams.send(encoder.encode(message), to);
    },
    [Symbol.dispose]: () => datagrams.close(),
  };
}

function byChild(socket: string): Sender {
  const ending = new AbortController();
  return {
    async send(message) {
      const { success, stderr } = await new Deno.Command("systemd-notify", {
        args: ["--no-block", ...message.split("\n")],
        env: { NOTIFY_SOCKET: socket },
        stdin: "null",
        stdout: "null",
        stderr: "piped",
        signal: ending.signal,
      }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
    },
    [Symbol.dispose]: () => ending.abort(),
  };
}
