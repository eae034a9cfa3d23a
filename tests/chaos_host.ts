// deno-lint-ignore-file no-console -- what it prints is read by who started it
/**
 * The process that chaos befalls: a daemon, and a server through which its plugins are called.
 *
 * @module
 */

import { HotplugError } from "../artifact/mod.ts";
import { PluginDaemon } from "../daemon/mod.ts";

interface Setting {
  readonly watch: readonly string[];
  readonly state: string;
  readonly scanInterval: number;
}

const { watch, state, scanInterval }: Setting = JSON.parse(Deno.args[0] ?? "{}");
const daemon = new PluginDaemon({
  watch,
  state,
  scanInterval,
  // Far more than the writer pauses, on a busy machine too.
  bareSettle: 800,
  rootCheck: 50,
  retryMin: 50,
  retryMax: scanInterval / 8,
  loadDeadline: 1_000,
  activateDeadline: 1_000,
  loader: "reclaimable",
  retention: { count: 3 },
});
daemon.subscribe((event) => console.log(JSON.stringify(event)));
Deno.addSignalListener("SIGHUP", () => void daemon.reload());
// Nobody is left to end it: whoever started it was killed.
void Array.fromAsync(Deno.stdin.readable).then(() => Deno.exit());

await daemon.start();
const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, answer);
Deno.addSignalListener("SIGTERM", () => void end());
console.log(JSON.stringify({ type: "serving", port: server.addr.port }));

/** First what takes calls, then what they are made to. */
async function end(): Promise<void> {
  await server.shutdown();
  await daemon.close({ drain: 1_000 });
  Deno.exit();
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const [, action = "", name = "", scn = ""] = pathname.split("/");
  try {
    if (action === "call") return Response.json(await call(name));
    if (action === "release") {
      return Response.json(await daemon.releaseQuarantine(name, Number(scn)));
    }
    return Response.json(daemon.status());
  } catch (error) {
    const code = error instanceof HotplugError ? error.code : "unexpected";
    return Response.json({ code, message: String(error) }, { status: 500 });
  }
}

async function call(name: string): Promise<unknown> {
  using lease = daemon.manager.acquire(name);
  return { scn: lease.scn, answer: await lease.call("answer") };
}
