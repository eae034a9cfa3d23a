import { assert, assertEquals, assertMatch } from "@std/assert";
import { HOTPLUG, PATIENCE, spawnHotplug, within } from "./_cli.ts";
import { writeArtifact } from "./_artifacts.ts";
import { hasProgram } from "./_program.ts";
import { tempDirectory } from "./_temp.ts";

const LINES = 200;
const TEXT = "x".repeat(20_000);
const DAEMON = ["daemon", "--no-state", "--no-config"];
/** Lets what it runs write to a standard output that does not wait when it is full. */
const NON_BLOCKING = [
  "perl",
  "-e",
  "use Fcntl; fcntl(STDOUT, F_SETFL, O_WRONLY | O_NONBLOCK) or die; exec @ARGV;",
];

/** Lets what it runs write to a standard output and error that are one pipe, and full. */
const FULL = [
  "perl",
  "-e",
  `use Fcntl;
  fcntl(STDOUT, F_SETFL, O_WRONLY | O_NONBLOCK) or die;
  1 while syswrite(STDOUT, "x" x 4096);
  fcntl(STDOUT, F_SETFL, O_WRONLY) or die;
  open(STDERR, ">&STDOUT") or die;
  exec @ARGV;`,
];

/** Logs more than anybody's buffers hold, and then, in a later turn, calls at that port. */
function chatty(port: number): string {
  return `export function activate({ logger }) {
    for (let n = 0; n < ${LINES}; n++) logger.info("{n} {text}", { n, text: "${TEXT}" });
    setTimeout(async () => (await Deno.connect({ port: ${port} })).close(), 20);
  }`;
}

for (const flags of [["--log", "json"], ["--json"]]) {
  Deno.test(`hotplug daemon ${flags.join(" ")} goes on while nobody reads what it says, and tells what it left out`, async () => {
    await using directory = await tempDirectory();
    const { stdout, stderr } = await outputOf(
      directory.path,
      (folder) => spawnHotplug([...DAEMON, ...flags, folder]),
    );
    assertWhole(flags[0] === "--json" ? stderr : stdout, stderr);
    assertMatch(stdout.slice(-500), /"type":"stopped".*\n$/);
  });
}

Deno.test({
  name: "hotplug daemon says nothing twice to a full pipe that does not wait",
  ignore: !hasPerl(),
  async fn() {
    await using directory = await tempDirectory();
    const { stdout, stderr } = await outputOf(directory.path, (folder) => {
      return spawn([...NON_BLOCKING, ...HOTPLUG, ...DAEMON, folder], "piped");
    });
    assertWhole(stdout, stderr);
  },
});

Deno.test("hotplug daemon ends in order though nobody ever reads what it says", async () => {
  await using directory = await tempDirectory();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await writeArtifact(directory.path, chatty(listener.addr.port));
  const child = spawnHotplug([...DAEMON, directory.path]);
  (await listener.accept()).close();
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
});

Deno.test({
  name: "hotplug daemon ends with 75 past its hard limit though both its streams are full",
  ignore: !hasPerl(),
  async fn() {
    await using directory = await tempDirectory();
    const limits = ["--memory-hard", "1", "--exit-on-memory", "--json"];
    const child = spawn([...FULL, ...HOTPLUG, ...DAEMON, ...limits, directory.path], "null");
    try {
      assertEquals((await within(PATIENCE, child.status, () => "it did not end")).code, 75);
    } finally {
      // One that waits for its reader ends by nothing else.
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      await Promise.all([child.status, child.stdout.cancel()]);
    }
  },
});

Deno.test("hotplug daemon gives who reads slowly all that it kept, to its last line", async () => {
  await using directory = await tempDirectory();
  const { stdout, stderr } = await outputOf(
    directory.path,
    (folder) => spawnHotplug([...DAEMON, "--log", "json", folder]),
    readSlowly,
  );
  assertWhole(stdout, stderr);
  assertMatch(stdout.slice(-500), /"type":"stopped".*\n$/);
});

Deno.test({
  name:
    "hotplug daemon tears no line of the log by what plugins print, though both are one full pipe",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using directory = await tempDirectory();
    await writeArtifact(
      directory.path,
      `export function activate({ logger }) {
        const text = "x".repeat(1000);
        for (let n = 0; n < 300; n++) logger.info("{n} {text}", { n, text });
        let left = 300;
        const print = () => {
          console.log("printed");
          if (--left > 0) setTimeout(print, 0);
          else process.kill(process.pid, "SIGTERM");
        };
        setTimeout(print, 0);
      }
      import process from "node:process";`,
    );
    const shell = ["sh", "-c", 'exec "$0" "$@" 2>&1', ...HOTPLUG, ...DAEMON, "--log", "json"];
    await using child = spawn([...shell, directory.path], "null");
    const lines = (await readSlowly(child.stdout, 8_192, 5)).trimEnd().split("\n");
    assertEquals((await child.status).code, 0);
    assertEquals(lines.filter((line) => line !== "printed" && !/^\{.*\}$/.test(line)), []);
    assertEquals(lines.filter((line) => line === "printed").length, 300);
  },
});

/** Starts a command whose output is a pipe. */
function spawn(
  [command = "", ...args]: readonly string[],
  stderr: "piped" | "null",
): Deno.ChildProcess {
  const env = { NO_COLOR: "" };
  return new Deno.Command(command, { args, env, stdin: "null", stdout: "piped", stderr }).spawn();
}

/** Begins to read what it says only once its plugin has gone on after all its lines; ends it. */
async function outputOf(
  folder: string,
  start: (folder: string) => Deno.ChildProcess,
  read: (stream: ReadableStream<Uint8Array>) => Promise<string> = readAll,
): Promise<{ stdout: string; stderr: string }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await writeArtifact(folder, chatty(listener.addr.port));
  const child = start(folder);
  (await listener.accept()).close();
  const texts = [child.stdout, child.stderr].map((each) => read(each));
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  const [stdout = "", stderr = ""] = await Promise.all(texts);
  return { stdout, stderr };
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

/** Pauses after each so many bytes: being slow is what it is about. */
async function readSlowly(
  stream: ReadableStream<Uint8Array>,
  bytes = 65_536,
  pauseMs = 150,
): Promise<string> {
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    size += chunk.byteLength;
    if (size < bytes) continue;
    size = 0;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return text;
}

/** Each line is there once and whole, or one of those that are told to be left out. */
function assertWhole(log: string, stderr: string): void {
  const [, lost] = /^warning: (\d+) lines were left out of the output/m.exec(stderr) ?? [];
  const whole = [...log.matchAll(/(\d+) x+/g)].filter(([text]) => text.endsWith(TEXT));
  assert(Number(lost) > 0 && whole.length > 2, `${whole.length} lines, ${lost} left out`);
  assertEquals(whole.length + Number(lost), LINES);
  assertEquals(new Set(whole.map(([, number]) => number)).size, whole.length);
}

function hasPerl(): boolean {
  return Deno.build.os === "linux" && hasProgram("perl", "-e", "use Fcntl");
}
