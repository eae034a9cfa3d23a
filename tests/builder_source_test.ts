import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { build } from "../builder/mod.ts";
import { download } from "../builder/sources/download.ts";
import { parseSourceLocation } from "../builder/sources/source_location.ts";
import { builderFixture, failureOf, PRICING } from "./_builder_fixture.ts";
import { assertThrowsCode } from "./_errors.ts";
import { gzipped, paxRecords, tarBytes, type TarPart } from "./_tar_bytes.ts";
import { zipBytes } from "./_zip_bytes.ts";

const FILES = ["deno.json", "mod.ts", "lib/discount.ts"];

async function parts(folder: string): Promise<{ name: string; body: Uint8Array }[]> {
  return await Promise.all(
    FILES.map(async (path) => ({
      name: `${folder}${path}`,
      body: await Deno.readFile(join(PRICING, path)),
    })),
  );
}

/** As `git archive` and macOS write them: extended headers, folders, and what is left out. */
function decorated(files: readonly TarPart[]): TarPart[] {
  return [
    { name: "pax_global_header", type: "g", body: paxRecords({ comment: "0".repeat(40) }) },
    { name: "pricing-main/", type: "5" },
    { name: "pricing-main/._mod.ts", prefix: "__MACOSX", body: "\0" },
    ...files.flatMap(({ name, body = "" }, index): TarPart[] => [
      index % 2 === 0
        ? { name: "x", type: "x", body: paxRecords({ path: String(name), mtime: "1.5" }) }
        : { name: "././@LongLink", type: "L", body: `${name}\0` },
      { name: `short-${index}`, body },
    ]),
  ];
}

function serve(files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>) {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, ({ url }) => {
    const path = new URL(url).pathname.slice(1);
    if (path === "moved") return Response.redirect(new URL("/archive", url), 302);
    const body = files[path];
    const headers = { "content-type": "text/html" };
    return body === undefined
      ? new Response(null, { status: 404 })
      : new Response(body, { headers });
  });
}

Deno.test("each kind of source builds the same plugin to the same content", async () => {
  await using fixture = await builderFixture();
  const { root, dest } = fixture;
  const [flat, foldered] = [await parts(""), await parts("pricing-main/")];
  const archives = {
    "flat.zip": zipBytes(flat.map((part) => ({ ...part, deflate: true }))),
    "folder.zip": zipBytes(foldered),
    "flat.tar": tarBytes(flat.map((part) => ({ ...part, name: `./${part.name}` }))),
    "old.tar": tarBytes(flat.map((part) => ({ ...part, magic: "" }))),
    "folder.tar": tarBytes(decorated(foldered)),
    "folder.tar.gz": await gzipped(tarBytes(foldered)),
    "folder.tgz": await gzipped(tarBytes(decorated(foldered))),
  };
  for (const [file, bytes] of Object.entries(archives)) {
    await Deno.writeFile(join(root, file), bytes);
  }
  // Neither its name nor its type tells what it is.
  await using server = serve({ ...archives, archive: archives["folder.tgz"] });
  const at = (path: string) => `http://127.0.0.1:${server.addr.port}/${path}`;
  const sources = [
    PRICING,
    toFileUrl(PRICING),
    ...Object.keys(archives).map((file) => join(root, file)),
    toFileUrl(join(root, "folder.tgz")).href,
    at("flat.zip"),
    new URL(at("folder.tar")),
    `${at("folder.tar.gz")}?token=1#x`,
    at("archive"),
    at("moved"),
  ];
  const digests = new Map<string, string | undefined>();
  for (const source of sources) {
    const { name, artifacts } = await build({ source, dest, check: false });
    assertEquals(name, "pricing", String(source));
    digests.set(
      `${artifacts[0]?.content.sha256} ${artifacts[0]?.info.source.sha256}`,
      String(source),
    );
  }
  assertEquals(digests.size, 1, JSON.stringify([...digests.values()]));
});

Deno.test("a module by path, by file URL and by http URL is the same plugin", async () => {
  const module = "export const rate = (): number => 0.2;";
  await using fixture = await builderFixture({ "tax.ts": module });
  await using server = serve({ "lib/tax.ts": new TextEncoder().encode(module) });
  const path = join(fixture.source, "tax.ts");
  const url = `http://127.0.0.1:${server.addr.port}/lib/tax.ts`;
  const results = [];
  for (const source of [path, toFileUrl(path), url]) {
    results.push(await build({ source, dest: fixture.dest }));
  }
  assertEquals(results.map(({ name }) => name), ["tax", "tax", "tax"]);
  const contents = results.map(({ artifacts }) => artifacts[0]?.content.sha256);
  assertEquals(new Set(contents).size, 1);
});

Deno.test("~ is the home folder, and a drive or a colon in a name is no address", () => {
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? "";
  const pathOf = (text: string) => {
    const location = parseSourceLocation(text);
    assert(location.type === "path", text);
    return location.path;
  };
  assertEquals(pathOf("~/plugins/a.zip"), join(home, "plugins", "a.zip"));
  assertEquals(pathOf("~"), home);
  assertEquals(pathOf("./~/a"), join(Deno.cwd(), "~", "a"));
  assertEquals(pathOf("backup:2.zip"), join(Deno.cwd(), "backup:2.zip"));
});

Deno.test("what is no source at all is refused before anything is read", () => {
  for (
    const text of [
      "npm:ms",
      "npm:ms@2",
      "npm:ms@^2.1.0",
      "npm:ms@latest",
      "npm:@scope@1.0.0",
      "npm:../ms@1.0.0",
      "npm:ms@2.1.3/../x",
      "jsr:@std/path@1.0.0",
      "ftp://example.com/a.zip",
      "git+ssh://example.com/a",
      "data:text/javascript,export{}",
      "http://",
      "file://host/a.zip",
    ]
  ) assertThrowsCode(() => parseSourceLocation(text), "options");
});

Deno.test("a download that is too large, too slow, missing, cut or led astray is refused", async () => {
  await using fixture = await builderFixture();
  const { dest } = fixture;
  const closing = new AbortController();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    ({ url }) => {
      const { pathname, searchParams } = new URL(url);
      const to = (location: string) => new Response(null, { status: 302, headers: { location } });
      if (pathname === "/large.zip") return new Response(new Uint8Array(5000));
      if (pathname === "/loop.zip") return to(`/loop.zip?${Number(searchParams.size) + 1}`);
      if (pathname === "/astray.zip") return to("file:///etc/passwd");
      if (pathname === "/page.zip") return new Response("<html></html>");
      if (pathname === "/slow.zip") {
        return new Response(
          new ReadableStream({
            pull: (controller) => {
              controller.enqueue(new Uint8Array(1));
              return new Promise((resolve) =>
                closing.signal.addEventListener("abort", () => resolve())
              );
            },
          }),
        );
      }
      return new Response(null, { status: 404 });
    },
  );
  const limits = { downloadBytes: 4000, downloadTime: 300 };
  const attempt = (path: string, signal?: AbortSignal) =>
    failureOf(
      build({
        source: `http://user:secret@127.0.0.1:${server.addr.port}/${path}`,
        dest,
        limits,
        ...(signal ? { signal } : {}),
      }),
      path,
    );
  const cases = [
    ["large.zip", "larger than 4000 bytes"],
    ["slow.zip", "longer than 300 ms"],
    ["missing.zip", "404"],
    ["loop.zip", "more than 10 times"],
    ["astray.zip", "to file:"],
    ["page.zip", "as a .zip"],
  ];
  for (const [path = "", message = ""] of cases) {
    const error = await attempt(path);
    assertEquals(error.code, "source", path);
    assertStringIncludes(error.message, message, path);
    assert(!error.message.includes("secret"), error.message);
  }
  assertEquals((await attempt("slow.zip", AbortSignal.timeout(50))).code, "cancelled");
  closing.abort();
  assertEquals(await fixture.list(), []);
});

Deno.test("a download follows to https, and never from https to http", async () => {
  await using fixture = await builderFixture();
  const answer = (targets: Readonly<Record<string, string>>) => (url: string | URL | Request) => {
    const location = targets[String(url)];
    const headers = new Headers(location === undefined ? [] : [["location", location]]);
    return Promise.resolve(
      new Response("abc", { status: location === undefined ? 200 : 302, headers }),
    );
  };
  const options = { maxBytes: 10, maxTime: 1000 };
  const up = answer({ "http://a.test/x": "https://b.test/y", "https://b.test/y": "./z" });
  const file = join(fixture.root, "up");
  assertEquals(await download(new URL("http://a.test/x"), file, options, up), 3);
  const down = answer({ "https://b.test/y": "http://b.test/y" });
  const astray = download(new URL("https://b.test/y"), join(fixture.root, "down"), options, down);
  assertStringIncludes((await failureOf(astray)).message, "from https: to http:");
});
