type Upgrade = typeof Deno.upgradeWebSocket;

const sockets = new WeakMap<Request, WebSocket>();
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

/** The WebSocket that a request became; undefined where it became none. */
export function socketOf(request: Request): WebSocket | undefined {
  return sockets.get(request);
}

function patch(holder: { upgradeWebSocket: Upgrade }): () => void {
  const original = holder.upgradeWebSocket;
  const noting: Upgrade = (request, options) => {
    const upgrade = original(request, options);
    sockets.set(request, upgrade.socket);
    return upgrade;
  };
  holder.upgradeWebSocket = noting;
  return () => {
    // Someone may have wrapped it since: then it stays, and notes for nobody.
    if (holder.upgradeWebSocket === noting) holder.upgradeWebSocket = original;
  };
}
