import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { sha256 } from "../artifact/mod.ts";
import { build, type BuildOptions } from "../builder/mod.ts";
import { buildService } from "./_build_service.ts";
import { type BuilderFixture, builderFixture, failureOf } from "./_builder_fixture.ts";
import { tarBytes, type TarPart } from "./_tar_bytes.ts";

/** An answer of a service, as its entries by name. */
type Entries = Map<string, string>;

/** What a true service answers to a build of the fixture; what is changed in it is a lie. */
async function trueAnswer(fixture: BuilderFixture): Promise<Entries> {
  await using service = await buildService();
  const { UntarStream } = await import("@std/tar");
  const text = await Deno.readTextFile(join(fixture.source, "tax.ts"));
  const options = JSON.stringify({ check: false, denoVersion: Deno.version.deno });
  const response = await service.post({ options, source: new File([text], "tax.ts") });
  const entries: Entries = new Map();
  const body = response.body ?? new ReadableStream();
  for await (const { path, readable } of body.pipeThrough(new UntarStream())) {
    entries.set(path, await new Response(readable ?? null).text());
  }
  return entries;
}

/** Serves one answer to whatever is asked. */
function liar(answer: () => Response | Promise<Response>) {
  const tokens: (string | null)[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    tokens.push(request.headers.get("authorization"));
    await request.arrayBuffer();
    return await answer();
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    tokens,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function tar(entries: Iterable<readonly [string, string]>, ...more: TarPart[]): Response {
  const parts = [...entries].map(([name, body]) => ({ name, body }));
  return tarred(tarBytes([...parts, ...more]));
}

function tarred(bytes: Uint8Array<ArrayBuffer>): Response {
  return new Response(bytes, { headers: { "content-type": "application/x-tar" } });
}

/** The answer with its first entry changed. */
function told(entries: Entries, change: (answer: Answer) => unknown): Response {
  const answer = JSON.parse(entries.get("answer.json") ?? "");
  const changed = change(answer) ?? answer;
  return tar(new Map([...entries, ["answer.json", JSON.stringify(changed)]]));
}

interface Answer {
  name: string;
  version: string;
  sourceSha256: string;
  artifacts: { target: string; file: string; info: string; sourceMap?: string }[];
  failures: unknown[];
}

/** The answer with the file changed whose name ends so. */
function changed(entries: Entries, end: string, change: (text: string) => string): Response {
  return tar([...entries].map(([name, text]) => [name, name.endsWith(end) ? change(text) : text]));
}

type Lie = (entries: Entries) => Response;

const SHA = "0".repeat(64);
const LIES: Readonly<Record<string, readonly [lie: Lie, code: string]>> = {
  "another module than its info file says": [
    (entries) => changed(entries, ".mjs", (text) => text.replace(".2", ".3")),
    "integrity",
  ],
  "another map": [(entries) => changed(entries, ".map", (text) => `${text} `), "integrity"],
  "another digest in the info file": [
    (entries) => changed(entries, ".pinf", (text) => text.replace(/[0-9a-f]{64}/g, SHA)),
    "integrity",
  ],
  "an info file of another plugin": [
    (entries) => changed(entries, ".pinf", (text) => text.replaceAll("tax", "vat")),
    "remote",
  ],
  "an info file that is none": [(entries) => changed(entries, ".pinf", () => "{}"), "info"],
  "another source": [(entries) => told(entries, (a) => void (a.sourceSha256 = SHA)), "remote"],
  "another version of Deno": [
    (entries) => told(entries, (a) => void (a.version = "2.4.0")),
    "remote",
  ],
  "a name that leads out": [(entries) => told(entries, (a) => void (a.name = "../tax")), "remote"],
  "a file that leads out": [
    (entries) => told(entries, (a) => void (a.artifacts[0]!.file = "../../evil.mjs")),
    "remote",
  ],
  "a file that is absolute": [
    (entries) => told(entries, (a) => void (a.artifacts[0]!.info = "/etc/evil.pinf")),
    "remote",
  ],
  "another target": [
    (entries) => told(entries, (a) => void (a.artifacts[0]!.target = "linux/amd64")),
    "remote",
  ],
  "no target at all": [(entries) => told(entries, (a) => void (a.artifacts = [])), "remote"],
  "an answer that is a list": [(entries) => told(entries, () => []), "remote"],
  "a file that it does not hold": [
    (entries) => told(entries, (a) => void (a.artifacts[0]!.sourceMap = "other.map")),
    "remote",
  ],
  "a file more": [(entries) => tar(entries, { name: "more.ts", body: "x" }), "remote"],
  "a file above": [(entries) => tar(entries, { name: "../above.ts", body: "x" }), "remote"],
  "a link": [(entries) => tar(entries, { name: "l", type: "2", link: "/etc/passwd" }), "remote"],
  "a file twice": [(entries) => tar([...entries, [...entries].at(-1) ?? ["", ""]]), "remote"],
  "files before it says which": [(entries) => tar([...entries].reverse()), "remote"],
  "half of an answer": [
    (entries) =>
      tarred(tarBytes([...entries].map(([name, body]) => ({ name, body }))).slice(0, 2048)),
    "remote",
  ],
  "nothing": [() => tarred(new Uint8Array()), "remote"],
  "noise": [() => tarred(crypto.getRandomValues(new Uint8Array(10_240))), "remote"],
  "a module that can't be loaded": [
    (entries) => {
      const code = "export const then = 1;\n//# sourceMappingURL=plugin.mjs.map\n";
      return retold(entries, code);
    },
    "load",
  ],
  "a module that leaves something to import": [
    (entries) => retold(entries, `import "npm:evil";\n//# sourceMappingURL=plugin.mjs.map\n`),
    "imports",
  ],
  "a page": [
    () => new Response("<h1>hello</h1>", { headers: { "content-type": "text/html" } }),
    "remote",
  ],
  "a failure in no words": [() => new Response("no", { status: 500 }), "remote"],
  "a failure of an unknown kind": [
    () => Response.json({ code: "fire", detail: "it burns" }, { status: 500 }),
    "remote",
  ],
  "the way to another place": [
    () => new Response(null, { status: 307, headers: { location: "http://127.0.0.1:1/" } }),
    "remote",
  ],
};

/** An answer in which all agrees about another module. */
function retold(entries: Entries, code: string): Response {
  const size = new TextEncoder().encode(code).byteLength;
  return tar([...entries].map(([name, text]) => {
    if (name.endsWith(".mjs")) return [name, code];
    if (!name.endsWith(".pinf")) return [name, text];
    const info = JSON.parse(text);
    const content = { size, sha256: sha256(code) };
    return [name, JSON.stringify({ ...info, artifact: { ...info.artifact, ...content }, content })];
  }));
}

Deno.test("whatever a service answers, nothing is published that is not what was asked for", async (t) => {
  await using fixture = await builderFixture({ "tax.ts": "export const rate = 0.2;" });
  const entries = await trueAnswer(fixture);
  const options: BuildOptions = {
    source: join(fixture.source, "tax.ts"),
    dest: fixture.dest,
    check: false,
  };
  await t.step("the truth is published", async () => {
    await using service = liar(() => tar(entries));
    const { artifacts } = await build({
      ...options,
      dest: `${fixture.dest}-true`,
      remote: service.url,
    });
    assertEquals(artifacts[0]?.info.exports, ["rate"]);
  });
  for (const [what, [lie, code]] of Object.entries(LIES)) {
    await t.step(what, async () => {
      await using service = liar(() => lie(entries));
      const token = "a-token-for-this-one";
      const remote = { url: service.url, token };
      const error = await failureOf(build({ ...options, remote }), what);
      assertEquals(error.code, code, error.message);
      assertEquals(service.tokens, [`Bearer ${token}`]);
      assertEquals(await fixture.list(), []);
    });
  }
  const beside = [...Deno.readDirSync(fixture.root)].map(({ name }) => name).sort();
  assertEquals(beside, ["dest", "dest-true", "source"]);
});

Deno.test("an answer that never ends is given up with the build", async () => {
  await using fixture = await builderFixture({ "tax.ts": "export const rate = 0.2;" });
  const controller = new AbortController();
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(stream) {
      stream.enqueue(new Uint8Array(512));
      controller.abort();
    },
  });
  await using service = liar(() =>
    new Response(endless, { headers: { "content-type": "application/x-tar" } })
  );
  const error = await failureOf(build({
    source: join(fixture.source, "tax.ts"),
    dest: fixture.dest,
    remote: service.url,
    signal: controller.signal,
  }));
  assertEquals(error.code, "cancelled");
  assertEquals(await fixture.list(), []);
});

Deno.test("what a service says of its failures is not believed to be of this machine's", async () => {
  await using fixture = await builderFixture({ "tax.ts": "export const rate = 0.2;" });
  const problem = { code: "check", detail: "type errors\n  mod.ts:1:1", failures: "none" };
  await using service = liar(() => Response.json(problem, { status: 422 }));
  const options = { source: join(fixture.source, "tax.ts"), dest: fixture.dest };
  const error = await failureOf(build({ ...options, remote: service.url }));
  assertEquals([error.code, error.message], ["check", problem.detail]);
  assert(error.cause instanceof Error);
  assertStringIncludes(error.cause.message, "answered 422");
});
