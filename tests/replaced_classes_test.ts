import { getRequestListener } from "@hono/node-server";
import { assertEquals } from "@std/assert";
import { startControl } from "./_control.ts";
import { publish } from "./_daemon.ts";
import { startGateway } from "./_gateway.ts";
import { TIERS } from "./_tiers.ts";

/** Answers in all the ways in which an answer is sent. */
const ANSWERS = `
  export default {
    fetch(request) {
      const { pathname } = new URL(request.url);
      switch (pathname.slice(pathname.lastIndexOf("/"))) {
        case "/once":
          return new Response("at once", { headers: { "x-own": "1" } });
        case "/later":
          return Promise.resolve(new Response("later"));
        case "/json":
          return Response.json("json");
        case "/events":
          return new Response("data: 1\\n\\n", { headers: { "content-type": "text/event-stream" } });
        default:
          throw new Error("it fails");
      }
    },
  };`;

const EXPECTED: Readonly<Record<string, readonly [status: number, text: string]>> = {
  "pricing/once": [200, "at once"],
  "pricing/later": [200, "later"],
  "pricing/json": [200, '"json"'],
  "pricing/events": [200, "data: 1\n\n"],
};

/** What puts other classes in the place of the runtime's, and who it may be. */
const REPLACEMENTS: Readonly<Record<string, () => void>> = {
  "the server of hono for Node": () => void getRequestListener(() => new Response()),
  "a polyfill": () => {
    // As undici's are: not derived from the runtime's.
    const Own = Response;
    class Answer {
      readonly #own: Response;
      constructor(body?: BodyInit | null, init?: ResponseInit) {
        this.#own = new Own(body, init);
      }
      static json = (value: unknown): Answer => new Answer(JSON.stringify(value));
      get body(): ReadableStream | null {
        return this.#own.body;
      }
      get bodyUsed(): boolean {
        return this.#own.bodyUsed;
      }
      get headers(): Headers {
        return this.#own.headers;
      }
      get status(): number {
        return this.#own.status;
      }
      get statusText(): string {
        return this.#own.statusText;
      }
    }
    Object.defineProperty(globalThis, "Response", { value: Answer });
  },
};

for (const [who, replace] of Object.entries(REPLACEMENTS)) {
  for (const tier of TIERS) {
    Deno.test(`gateway: in tier ${tier}, it answers where ${who} has put its own Response in place`, async () => {
      await using fixture = await startGateway({ tier });
      await publish(fixture.path, ANSWERS);
      await fixture.loaded("pricing");
      using _replaced = replaced(replace);
      for (const [path, [status, text]] of Object.entries(EXPECTED)) {
        const response = await fixture.get(`/${path}`);
        assertEquals([path, response.status, await response.text()], [path, status, text]);
      }
      for (const [path, status] of [["pricing/fails", 502], ["unknown", 404]] as const) {
        const response = await fixture.get(`/${path}`);
        assertEquals([response.status, (await response.json()).status], [status, status]);
      }
    });
  }

  Deno.test(`control: it answers where ${who} has put its own Response in place`, async () => {
    await using fixture = await startControl();
    using _replaced = replaced(replace);
    assertEquals(await (await fixture.ask("GET", "/livez")).text(), "ok\n");
    const status = await (await fixture.ask("GET", "/v1/status")).json();
    assertEquals(status.ready, true);
    const head = await fixture.ask("HEAD", "/v1/status");
    assertEquals([head.status, await head.text()], [200, ""]);
    const missing = await fixture.ask("GET", "/v1/nothing");
    assertEquals([missing.status, (await missing.json()).code], [404, "not-found"]);
  });
}

/** Has the classes replaced until the end of its scope. */
function replaced(replace: () => void): Disposable {
  const names = ["Request", "Response"] as const;
  const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name) ?? {});
  replace();
  return {
    [Symbol.dispose]() {
      names.forEach((name, i) => Object.defineProperty(globalThis, name, before[i] ?? {}));
    },
  };
}
