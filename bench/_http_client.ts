/**
 * A client in a process of its own: it asks for a path over some connections that it keeps, one request
 * after the other on each, and prints what came of it as JSON.
 *
 * Its own work is as little as can be: on a machine with few processors it takes from the server.
 *
 * @module
 */

const [port = "", path = "", connections = "", milliseconds = ""] = Deno.args;
const REQUEST = new TextEncoder().encode(
  `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`,
);
const SCN = /x-hotplug-scn: (\d+)/;

/** What came of a run. */
export interface ClientResult {
  /** How many requests were answered. */
  readonly count: number;
  /** How many were answered with anything but 200, or not at all. */
  readonly failed: number;
  /** How many had a header of one generation and a body of another. */
  readonly mixed: number;
  /** How many generations have answered. */
  readonly generations: number;
  /** Of the time between a request and its answer, in milliseconds. */
  readonly p50: number;
  /** The same. */
  readonly p99: number;
}

const times: number[] = [];
const generations = new Set<string>();
let failed = 0;
let mixed = 0;

async function ask(end: number): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  connection.setNoDelay(true);
  const buffer = new Uint8Array(4096);
  while (performance.now() < end) {
    const began = performance.now();
    await connection.write(REQUEST);
    const length = await connection.read(buffer);
    times.push(performance.now() - began);
    // The answers are shorter than a packet.
    if (length === null) return void failed++;
    judge(latin1(buffer.subarray(0, length)));
  }
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function judge(answer: string): void {
  const scn = SCN.exec(answer)?.[1];
  if (!answer.startsWith("HTTP/1.1 200 ")) failed++;
  if (scn === undefined) return;
  generations.add(scn);
  if (!answer.endsWith(`\r\n\r\n${scn}`)) mixed++;
}

if (import.meta.main) {
  const end = performance.now() + Number(milliseconds);
  await Promise.all(Array.from({ length: Number(connections) }, () => ask(end)));
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? NaN;
  const result: ClientResult = {
    count: times.length,
    failed,
    mixed,
    generations: generations.size,
    p50: at(0.5),
    p99: at(0.99),
  };
  // deno-lint-ignore no-console -- what it prints is its output
  console.log(JSON.stringify(result));
}
