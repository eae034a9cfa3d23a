import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { hotplug, spawnHotplug, within } from "./_cli.ts";
import { seedNpmCache } from "./_npm_cache.ts";
import { type TempDirectory, tempDirectory } from "./_temp.ts";

/** A running `hotplug builder`, and its address. */
interface BuilderProcess extends AsyncDisposable {
  readonly url: string;
  /** Ends it in order; its exit code, and all that it printed. */
  end(): Promise<{ code: number; stdout: string; stderr: string }>;
}

async function startBuilder(
  directory: TempDirectory,
  ...flags: readonly string[]
): Promise<BuilderProcess> {
  const own = ["--cache-dir", directory.file("cache"), "--work-dir", directory.file("work")];
  await seedNpmCache(directory.file("cache", "deno"));
  const child = spawnHotplug(["builder", "--port", "0", ...own, ...flags]);
  const listening = Promise.withResolvers<string>();
  let stdout = "";
  const reading = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      stdout += text;
      const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(stdout) ?? [];
      if (url !== undefined) listening.resolve(url);
    }
  })();
  const stderr = new Response(child.stderr).text();
  return {
    url: await within(30_000, listening.promise, () => `it does not listen: ${stdout}`),
    async end() {
      child.kill("SIGINT");
      const { code } = await within(30_000, child.status, () => "it does not end");
      await reading;
      return { code, stdout, stderr: await stderr };
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      await Promise.allSettled([child.status, reading, stderr]);
    },
  };
}

Deno.test("hotplug builder builds for who brings its token, and tells of each request", async () => {
  await using directory = await tempDirectory();
  const [token, wrong, source, dest] = ["token", "wrong", "tax.ts", "plugins"].map((name) =>
    directory.file(name)
  ) as [string, string, string, string];
  await Deno.writeTextFile(token, "a-token-of-sixteen-characters\n");
  await Deno.writeTextFile(wrong, "another-of-sixteen-characters\n");
  await Deno.writeTextFile(source, "export const rate = 0.2;");
  await using builder = await startBuilder(directory, "--token-file", token, "--json");
  const build = (...flags: string[]) =>
    hotplug("build", source, "--dest", dest, "--no-check", "--remote", builder.url, ...flags);

  for (const flags of [[], ["--token-file", wrong]]) {
    const refused = await build(...flags, "--json");
    assertEquals([refused.code, JSON.parse(refused.stdout).code], [1, "unauthorized"]);
  }
  const built = await build("--token-file", token);
  assertEquals(built.code, 0, built.stderr);
  assertMatch(built.stdout, /^built tax \d{14} in /);
  assertStringIncludes(built.stderr, `fetched ${builder.url}, `);
  const local = await build("--token-file", token, "--env", "A=B");
  assertEquals(local.code, 2);
  assertStringIncludes(local.stderr, "the option env is for builds on this machine");

  const { code, stdout, stderr } = await builder.end();
  assertEquals([code, stderr], [0, ""]);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.map(({ type }) => type), [
    "listening",
    "refused",
    "refused",
    "built",
    "closed",
  ]);
  assert(!stdout.includes("characters\\n") && !stdout.includes("sixteen"), "a token is told");
  assertEquals([...Deno.readDirSync(directory.file("work"))].map(({ name }) => name), []);
});

Deno.test("hotplug builder prints lines for people, and fails where its port is taken", async () => {
  await using directory = await tempDirectory();
  await using builder = await startBuilder(directory);
  const { port } = new URL(builder.url);
  const second = await hotplug("builder", "--port", port, "--cache-dir", directory.file("cache"));
  assertEquals([second.code, second.stdout], [1, ""]);
  assertMatch(second.stderr, /^error: Cannot listen on 127\.0\.0\.1:\d+: .*choose another port/);
  const { code, stdout } = await builder.end();
  assertEquals(code, 0);
  assertMatch(stdout, /^\S+Z {2}listening {2}http:\/\/127\.0\.0\.1:\d+\/\n\S+Z {2}closed\n$/);
});

for (const flag of ["--cache-dir", "--work-dir"]) {
  Deno.test(`hotplug builder says which folder it can't make: ${flag}`, async () => {
    await using directory = await tempDirectory();
    const own = { "--cache-dir": directory.file("cache"), "--work-dir": directory.file("work") };
    const file = directory.file("file");
    await Deno.writeTextFile(file, "");
    const flags = Object.entries({ ...own, [flag]: file }).flat();
    const { code, stdout, stderr } = await hotplug("builder", "--port", "0", ...flags);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^error: Cannot serve builds: the folder ".*" .* can't be made: .*\n$/);
    assertStringIncludes(stderr, file);
  });
}
