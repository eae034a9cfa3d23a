import { fromFileUrl, join } from "@std/path";
import { nextScn, type Scn } from "../artifact/mod.ts";
import { Gateway, PluginDaemon } from "../daemon/mod.ts";
import type { ClientResult } from "./_http_client.ts";
import { quantile, table } from "./_stats.ts";

const ROUNDS = 12;
const ROUND_MS = 1_500;
const CONNECTIONS = 32;
const SWAPS = 100;
const SWAP_MS = 600;
const FIRST: Scn = 20240101000000;

/**
 * Requests through the gateway against the same handler under `Deno.serve`, in the same process, round
 * by round in turn; a hundred swaps in a minute under that load; then the gateway once more without the
 * guards. The client is another process.
 *
 * Two more floors do no more than what can't be done without: one sets the header that the gateway sets,
 * with which Deno sends an answer in another, slower way; one also reads the URL, and asks when the
 * answer was sent.
 */
export async function benchGateway(): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "hotplug-bench-" });
  try {
    const file = await publish(folder, FIRST);
    const guarded = await guardedRounds(folder, file);
    return [...guarded, ...await bareRounds(folder, file)];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function guardedRounds(folder: string, file: string): Promise<string[]> {
  await using daemon = new PluginDaemon({ watch: [folder], bareSettle: 0 });
  await using gateway = new Gateway(daemon);
  const { port } = await gateway.start();
  await daemon.start();
  const { default: handler } = await import(file);
  await using bare = serve((each) => handler.fetch(each));
  await using labelled = serve((each) => label(handler.fetch(each)));
  let read = 0;
  await using traced = serve((each, { completed }) => {
    read += each.url.length;
    const response = label(handler.fetch(each));
    completed.then(() => read--, () => read--);
    return response;
  });
  const results = await rounds([...[bare, labelled, traced].map(portOf), Number(port)]);
  const swapped = load(Number(port), SWAPS * SWAP_MS);
  await swap(folder);
  const columns = ["bare Deno.serve", "with the header", "all that must be", "gateway"];
  return [
    `gateway: a handler with 20 µs of work, ${CONNECTIONS} connections, ${ROUNDS} rounds; in brackets ` +
    "what the gateway is of it",
    ...report(columns, results),
    swapReport(await swapped),
    "",
  ];
}

async function bareRounds(folder: string, file: string): Promise<string[]> {
  await using daemon = new PluginDaemon({ watch: [folder], bareSettle: 0, guards: false });
  await using gateway = new Gateway(daemon);
  const { port } = await gateway.start();
  await daemon.start();
  const { default: handler } = await import(file);
  await using bare = serve((each) => handler.fetch(each));
  const results = await rounds([portOf(bare), Number(port)]);
  return ["gateway: without guards", ...report(["bare Deno.serve", "gateway"], results), ""];
}

/** The results of each port, round by round. */
async function rounds(ports: readonly number[]): Promise<ClientResult[][]> {
  const results: ClientResult[][] = ports.map(() => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (let turn = 0; turn < ports.length; turn++) {
      const at = (round + turn) % ports.length;
      const result = await load(ports[at] as number, ROUND_MS);
      // The first one warms up.
      if (round > 0) results[at]?.push(result);
    }
  }
  return results;
}

function serve(
  handler: (request: Request, info: Deno.ServeHandlerInfo) => Response,
): Deno.HttpServer {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
}

/** Says which generation has answered, as the gateway does. */
function label(response: Response): Response {
  response.headers.set("x-hotplug-scn", `${FIRST}`);
  return response;
}

function portOf({ addr }: Deno.HttpServer): number {
  return (addr as Deno.NetAddr).port;
}

async function swap(folder: string): Promise<void> {
  let scn = FIRST;
  for (let count = 0; count < SWAPS; count++) {
    await new Promise((resolve) => setTimeout(resolve, SWAP_MS));
    await publish(folder, scn = nextScn(scn));
  }
}

/** Answers after 20 µs of work with its SCN. */
async function publish(folder: string, scn: Scn): Promise<string> {
  const file = join(folder, `web_${scn}_2_9_5_any_any.mjs`);
  const temporary = join(folder, ".temporary");
  await Deno.writeTextFile(
    temporary,
    `const work = () => { const end = performance.now() + 0.02; while (performance.now() < end); };
     export default { fetch: () => { work(); return new Response("${scn}"); } };`,
  );
  await Deno.rename(temporary, file);
  return file;
}

async function load(port: number, milliseconds: number): Promise<ClientResult> {
  const client = fromFileUrl(new URL("./_http_client.ts", import.meta.url));
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", client, `${port}`, "/web/x", `${CONNECTIONS}`, `${milliseconds}`],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("The client failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

function report(
  columns: readonly string[],
  results: readonly (readonly ClientResult[])[],
): string[] {
  const gateway = results.at(-1) ?? [];
  const row = (label: string, of: (result: ClientResult) => number, unit: string): string[] => {
    const cells = results.map((own) => {
      const ratios = gateway.map((each, round) => of(each) / of(own[round] as ClientResult));
      const middle = `${quantile(own.map(of), 0.5).toFixed(2)} ${unit}`;
      return own === gateway ? middle : `${middle} (${quantile(ratios, 0.5).toFixed(2)}x)`;
    });
    return [label, ...cells];
  };
  return table([
    ["", ...columns],
    row("requests", (each) => each.count / ROUND_MS, "/ms"),
    row("p50", (each) => each.p50, "ms"),
    row("p99", (each) => each.p99, "ms"),
  ]);
}

function swapReport({ count, failed, mixed, generations, p99 }: ClientResult): string {
  return `${SWAPS} swaps in ${
    SWAPS * SWAP_MS / 1000
  } s: ${count} requests of ${generations} generations, ` +
    `${failed} failed, ${mixed} mixed, p99 ${p99.toFixed(2)} ms`;
}
