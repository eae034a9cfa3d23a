import { assert, assertEquals } from "@std/assert";
import { CtlClient } from "../cli/ctl_client.ts";
import { main } from "../cli/program.ts";
import { readEvents, startControl, tcpOf } from "./_control.ts";
import { spawnHotplug } from "./_cli.ts";
import { within } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const TOKEN = "a-token-that-is-long-enough";

/** Passes connections on, and can break those off that there are. */
function relay(target: Deno.ConnectOptions) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let heard = "";
  let look = (): void => {};
  const pass = async (from: Deno.Conn, to: Deno.Conn, note: (text: string) => void) => {
    const chunk = new Uint8Array(4096);
    try {
      for (let n = await from.read(chunk); n !== null; n = await from.read(chunk)) {
        await to.write(chunk.subarray(0, n));
        note(new TextDecoder().decode(chunk.subarray(0, n)));
      }
    } catch {
      // It was broken off.
    }
  };
  const served = (async () => {
    for await (const client of listener) {
      const server = await Deno.connect(target);
      for (const each of [client, server]) open.add(each);
      void pass(client, server, () => {});
      void pass(server, client, (text) => {
        heard += text;
        look();
      });
    }
  })();
  const breakOff = (): void => {
    for (const each of open) each.close();
    open.clear();
  };
  return {
    url: new URL(`http://127.0.0.1:${listener.addr.port}/`),
    breakOff,
    /** Resolves once that has come from the target. */
    heard: (text: string) =>
      new Promise<void>((resolve) => {
        look = () => void (heard.includes(text) && resolve());
        look();
      }),
    async [Symbol.asyncDispose]() {
      listener.close();
      breakOff();
      await served;
    },
  };
}

Deno.test("events that come while a connection is away are told after it, though there was none before", async () => {
  await using at = await startControl({ token: TOKEN });
  await using between = relay(tcpOf(at.place));
  const { url } = between;
  using client = new CtlClient(
    { label: url.href, socket: undefined, url, token: TOKEN },
    undefined,
  );
  const events = client.events(0, true);
  const next = events.next();
  await between.heard(": hotplug");
  between.breakOff();
  await at.fixture.daemon.freeze("web");
  const { value } = await within(10_000, "an event", next);
  assert(value);
  assertEquals(JSON.parse(value.json).type, "frozen");
  await events.return(undefined);
});

for (
  const [what, args, end] of [
    ["events", ["events", "--last", "100"], 0],
    ["status", ["status", "--json"], 1],
  ] as const
) {
  Deno.test(`hotplug ctl ${what} ends as it is told to, though nobody reads what it prints`, async () => {
    await using at = await startControl();
    await at.fixture.daemon.freeze("web");
    const ending = new AbortController();
    const begun = Promise.withResolvers<void>();
    const stdout = (): Promise<void> => {
      begun.resolve();
      // As a write to a full pipe.
      return new Promise(() => {});
    };
    const io = { stdout: () => {}, stderr: () => {}, isTerminal: false, signal: ending.signal };
    const code = main(["ctl", ...args, "--state", at.state], {
      ...io,
      later: { stdout, stderr: stdout },
    });
    await within(10_000, "what it prints", begun.promise);
    ending.abort();
    assertEquals(await within(10_000, "its end", code), end);
  });
}

Deno.test("a stream of events begins with what to go on after, also for who reads no headers", async () => {
  await using at = await startControl();
  const response = await at.ask("GET", "/v1/events");
  const id = response.headers.get("last-event-id") ?? "";
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  assertEquals((await reader.read()).value, `: hotplug\nid: ${id}\n\n`);
  await reader.cancel();
  await at.fixture.daemon.freeze("web");
  await using again = readEvents(
    await at.ask("GET", "/v1/events", { headers: { "last-event-id": id } }),
  );
  assertEquals((await again.next())?.type, "frozen");
});

Deno.test("hotplug ctl events ends when it is told to, however much it has told by then", async () => {
  await using at = await startControl({ token: TOKEN });
  const { daemon } = at.fixture;
  for (let n = 0; n < 500; n++) {
    await daemon.freeze("web");
    await daemon.thaw("web");
  }

  await using directory = await tempDirectory();
  const token = directory.file("token");
  await Deno.writeTextFile(token, TOKEN);
  const address = ["--control", at.place.url ?? "", "--token-file", token];
  await using child = spawnHotplug(["ctl", "events", "--last", "1000", "--json", ...address]);
  const read = async (): Promise<void> => {
    let told = 0;
    for await (const chunk of child.stdout) {
      const before = told;
      told += chunk.filter((byte) => byte === 10).length;
      if (before < 1000 && told >= 1000) child.kill("SIGTERM");
    }
  };
  await within(20_000, "the end", read());
  const { code } = await child.status;
  assertEquals([code, await new Response(child.stderr).text()], [0, ""]);
});
