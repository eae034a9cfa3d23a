import { assert, assertEquals } from "@std/assert";
import type { BuildServiceEvent, ServiceStatus } from "../builder/mod.ts";
import { spawnHotplug, temporaryIn, within } from "./_cli.ts";
import { npmTest } from "./_npm_reach.ts";
import { tempDirectory } from "./_temp.ts";

const BURSTS = 10;
const REQUESTS = 20;
const BODY_LIMIT = 64 * 1024;

type Kind = "build" | "cancelled" | "oversized";
type Outcome = number | string;

/** A third of them is given up or too large. */
function kindOf(index: number): Kind {
  if (index % 6 === 2) return "cancelled";
  return index % 6 === 5 ? "oversized" : "build";
}

/** What a client sees whose connection is closed while it sends. */
const CUT = /broken pipe|connection reset/i;

async function request(url: URL, kind: Kind, index: number): Promise<Outcome> {
  const controller = new AbortController();
  const size = kind === "oversized" ? BODY_LIMIT * 2 : 200;
  const text = `export const n = ${index};\n//${"x".repeat(size)}`;
  const body = new FormData();
  body.append("options", JSON.stringify({ check: false }));
  body.append("source", new File([text], "tax.ts"));
  // Given up while it is sent, waits, runs, or is answered: at another moment each.
  if (kind === "cancelled") setTimeout(() => controller.abort(), (index * 37) % 700);
  try {
    const response = await fetch(new URL("v1/api/build", url), {
      method: "POST",
      body,
      signal: controller.signal,
    });
    const answer = await response.bytes();
    return response.ok || response.status === 413
      ? response.status
      : `${response.status} ${new TextDecoder().decode(answer)}`;
  } catch (error) {
    if (controller.signal.aborted) return "gone";
    // It is answered before it has come in whole: who is still sending then may see no more than that.
    if (kind === "oversized" && CUT.test(String((error as Error).cause))) return "cut";
    throw error;
  }
}

/** What a process holds; Linux tells. */
interface Holdings {
  readonly children: number;
  readonly files: number;
  readonly rssMb: number;
}

async function holdingsOf(pid: number): Promise<Holdings> {
  const count = async (path: string) => (await Array.fromAsync(Deno.readDir(path))).length;
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const children: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid) children.push(name);
  }
  return {
    children: children.length,
    files: await count(`/proc/${pid}/fd`),
    rssMb: Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024),
  };
}

/** Connections that clients keep for a next request are open files until they are closed as idle. */
async function settled(pid: number, files: number): Promise<Holdings> {
  const end = performance.now() + 30_000;
  for (;;) {
    const holdings = await holdingsOf(pid);
    if (holdings.files <= files || performance.now() > end) return holdings;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function idle(url: URL): Promise<ServiceStatus> {
  const look = async (): Promise<ServiceStatus> => {
    for (;;) {
      const status = await (await fetch(new URL("v1/api/status", url))).json();
      if (status.active === 0) return status;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return await within(60_000, look(), () => "the service was not done with all requests");
}

// With a cache that is empty: its first builds bring Deno's bundler into it at the same time.
npmTest({
  name: "bursts of requests, a third of them given up or too large, leave nothing behind",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using directory = await tempDirectory();
    const temporary = directory.file("tmp");
    await Deno.mkdir(temporary);
    const flags = ["--port", "0", "--json", "--queue", "40", "--body-limit", String(BODY_LIMIT)];
    const child = spawnHotplug(
      ["builder", ...flags, "--cache-dir", directory.file("cache")],
      temporaryIn(temporary),
    );
    const events: BuildServiceEvent[] = [];
    const listening = Promise.withResolvers<URL>();
    const reading = readLines(child.stdout, (event) => {
      events.push(event);
      if (event.type === "listening") listening.resolve(new URL(event.url));
    });
    const errors = new Response(child.stderr).text();
    try {
      const url = await within(30_000, listening.promise, () => "it does not listen");
      const outcomes: Record<Kind, Outcome[]> = { build: [], cancelled: [], oversized: [] };
      let before: Holdings | undefined;
      for (let burst = 0; burst < BURSTS; burst++) {
        await Promise.all(Array.from({ length: REQUESTS }, async (_, each) => {
          const index = burst * REQUESTS + each;
          const kind = kindOf(index);
          outcomes[kind].push(await request(url, kind, index));
        }));
        await idle(url);
        // The first ones bring in what is brought in once.
        if (burst === 3) before = await holdingsOf(child.pid);
      }
      const { files = 0, rssMb = 0 } = before ?? {};
      const after = await settled(child.pid, files);
      const { counts } = await idle(url);

      assert(outcomes.build.every((status) => status === 200), String(outcomes.build));
      const refused413 = outcomes.oversized.filter((status) => status === 413);
      assert(refused413.length > 0, String(outcomes.oversized));
      assert(
        outcomes.oversized.every((status) => status === 413 || status === "cut"),
        String(outcomes.oversized),
      );
      assert(outcomes.cancelled.some((status) => status === "gone"), String(outcomes.cancelled));
      assertEquals(counts.failed, outcomes.oversized.length);
      const gone = outcomes.cancelled.filter((outcome) => outcome === "gone").length;
      assert(counts.cancelled <= gone, `${counts.cancelled} of ${gone}`);
      assert(counts.built >= outcomes.build.length, String(counts.built));
      assertEquals(after.children, 0);
      assertEquals([...Deno.readDirSync(temporary)].map(({ name }) => name), []);
      assert(after.files <= files, `open files: ${files}, then ${after.files}`);
      // What V8 has not collected yet comes and goes by tens of MB.
      assert(after.rssMb <= rssMb * 1.35 + 50, `memory: ${rssMb} MB, then ${after.rssMb} MB`);

      child.kill("SIGTERM");
      assertEquals((await within(30_000, child.status, () => "it did not end")).code, 0);
      assertEquals(events.at(-1)?.type, "closed");
      // Its port is free: who asks is refused.
      const refused = await fetch(url).then(() => "answered", () => "refused");
      assertEquals(refused, "refused");
      assertEquals(await errors, "");
    } finally {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      await child.status;
      await Promise.allSettled([reading, errors]);
    }
  },
});

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  each: (event: BuildServiceEvent) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) each(JSON.parse(line));
  }
}
