import process from "node:process";

/** Who watches over this process, as systemd does for services of `Type=notify`. */
export interface ServiceManager extends AsyncDisposable {
  /** Tells how it stands, as `READY=1` or `STATUS=…`; several by line breaks. */
  notify(state: string): Promise<void>;
}

/** Sends one message to the socket. */
type Send = (message: string) => Promise<void>;

interface Datagrams {
  send(bytes: Uint8Array, to: { readonly transport: "unixpacket"; readonly path: string }): unknown;
  close(): void;
}

const NOBODY: ServiceManager = {
  notify: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/**
 * Finds who watches over this process, by the environment that systemd gives it; and, if asked to,
 * tells them regularly that its main loop turns.
 *
 * A message is a datagram. Deno sends one only with `--unstable-net`, in 0.08 ms; without, the
 * program `systemd-notify` does, in 8 ms, and the unit must say `NotifyAccess=all`.
 *
 * What can't be told is warned of, once.
 */
export function findServiceManager(warn: (message: string) => void): ServiceManager {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = process.env;
  if (!NOTIFY_SOCKET) return NOBODY;
  const datagrams = openDatagrams();
  const send = datagrams ? byDatagram(datagrams, NOTIFY_SOCKET) : byChild(NOTIFY_SOCKET);
  let warned = false;
  let last: Promise<void> = Promise.resolve();
  const notify = (state: string): Promise<void> =>
    last = last.then(() => send(state)).catch((error) => {
      if (!warned) warn(`cannot tell the service manager: ${(error as Error).message}`);
      warned = true;
    });
  const mine = WATCHDOG_PID === undefined || WATCHDOG_PID === String(Deno.pid);
  const interval = mine ? Number(WATCHDOG_USEC) / 1000 / 2 : NaN;
  const timer = interval > 0 ? setInterval(() => void notify("WATCHDOG=1"), interval) : undefined;
  return {
    notify,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await last;
      datagrams?.close();
    },
  };
}

/** Undefined where Deno was not told to have them. */
function openDatagrams(): Datagrams | undefined {
  const { listenDatagram } = Deno as unknown as {
    listenDatagram?: (
      address: { readonly transport: "unixpacket"; readonly path: string },
    ) => Datagrams;
  };
  // A name of Linux's own for who sends: there is no file of it to be removed. The id alone may be
  // taken: containers that share the network have processes of the same ids.
  const path = `\0hotplug-${Deno.pid}-${crypto.randomUUID()}`;
  return listenDatagram?.({ transport: "unixpacket", path });
}

function byDatagram(datagrams: Datagrams, socket: string): Send {
  const path = socket.replace(/^@/, "\0");
  const encoder = new TextEncoder();
  return async (message) => {
    await datagrams.send(encoder.encode(message), { transport: "unixpacket", path });
  };
}

function byChild(socket: string): Send {
  return async (message) => {
    const { success, stderr } = await new Deno.Command("systemd-notify", {
      args: ["--no-block", ...message.split("\n")],
      env: { NOTIFY_SOCKET: socket },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  };
}
