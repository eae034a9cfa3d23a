type Upgrade = typeof Deno.upgradeWebSocket;

/** How a WebSocket is closed whose server goes. */
export const GOING_AWAY = 1001;
/** How long one may take to open once it was answered, in milliseconds. */
const OPENING_MS = 1_000;
/** How long whoever is at its other end may take to say that it is closed, in milliseconds. */
const CLOSING_MS = 5_000;

const upgrades = new WeakMap<Request, Deno.WebSocketUpgrade>();
/** Whether there was any: most plugins have none, and then not even a look is due. */
let upgraded = false;
let users = 0;
let restore: () => void = () => {};

/**
 * Notes which WebSocket a request becomes, until disposed of.
 *
 * A plugin upgrades by `Deno.upgradeWebSocket`, and answers with no more than a status: only there is
 * the socket, and its end, to be had.
 */
export function noteSockets(): Disposable {
  if (users++ === 0) restore = patch(Deno as { upgradeWebSocket: Upgrade });
  let noting = true;
  return {
    [Symbol.dispose](): void {
      if (!noting) return;
      noting = false;
      if (--users === 0) restore();
    },
  };
}

/** The WebSocket that a request became, with its answer; undefined where it became none. */
export function upgradeOf(request: Request): Deno.WebSocketUpgrade | undefined {
  return upgraded ? upgrades.get(request) : undefined;
}

/**
 * Tells of a WebSocket's end, once; answers with how to close it, open or not yet. One whose client
 * went before it was answered never opens, and tells nothing of that: it has ended, too. So has one that is
 * closed and whose client, which hangs, does not answer: once it is closing nothing is asked for signs of
 * life any more.
 */
export function followSocket(
  socket: WebSocket,
  answered: Promise<void>,
  ended: () => void,
): (code: number, reason?: string) => void {
  let phase: "opening" | "open" | "closing" | "over" = "opening";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closing = (): void => {};
  const over = (): void => {
    clearTimeout(timer);
    if (phase === "over") return;
    phase = "over";
    ended();
  };
  const awaitClose = (): void => {
    if (phase !== "open" || socket.readyState !== socket.CLOSING) return;
    phase = "closing";
    timer = setTimeout(over, CLOSING_MS);
  };
  const end = socket.close.bind(socket);
  const closeNow = (code?: number, reason?: string): void => {
    end(code, reason);
    awaitClose();
  };
  // The plugin itself may be who closes it.
  Reflect.set(socket, "close", closeNow);
  const close = (code: number, reason?: string): void => {
    if (phase !== "opening") closeNow(code, reason);
    // Closed before it is open it would open all the same, and stay.
    else closing = () => closeNow(code, reason);
  };
  const giveUp = (): void => {
    close(GOING_AWAY, "too late");
    over();
  };
  const wait = (): void => {
    if (phase === "opening") timer = setTimeout(giveUp, OPENING_MS);
  };
  answered.then(wait, wait);
  socket.addEventListener("open", () => {
    clearTimeout(timer);
    if (phase === "opening") phase = "open";
    closing();
    // The plugin may have closed it as it was told, before.
    awaitClose();
  });
  socket.addEventListener("close", over);
  return close;
}

function patch(holder: { upgradeWebSocket: Upgrade }): () => void {
  const original = holder.upgradeWebSocket;
  const noting: Upgrade = (request, options) => {
    const upgrade = original(request, options);
    upgrades.set(request, upgrade);
    upgraded = true;
    return upgrade;
  };
  // A host may have frozen it.
  Reflect.set(holder, "upgradeWebSocket", noting);
  return () => {
    // Someone may have wrapped it since: then it stays, and notes for nobody.
    if (holder.upgradeWebSocket === noting) Reflect.set(holder, "upgradeWebSocket", original);
  };
}
