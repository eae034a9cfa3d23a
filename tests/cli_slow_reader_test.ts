import { assert, assertEquals, assertMatch } from "@std/assert";
import { HOTPLUG, spawnHotplug } from "./_cli.ts";
import { writeArtifact } from "./_artifacts.ts";
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
      const [command = "", ...args] = [...NON_BLOCKING, ...HOTPLUG, ...DAEMON, folder];
      const piped = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
      return new Deno.Command(command, { args, env: { NO_COLOR: "" }, ...piped }).spawn();
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

/** Begins to read what it says only once its plugin has gone on after all its lines; ends it. */
async function outputOf(
  folder: string,
  spawn: (folder: string) => Deno.ChildProcess,
): Promise<{ stdout: string; stderr: string }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await writeArtifact(folder, chatty(listener.addr.port));
  const child = spawn(folder);
  (await listener.accept()).close();
  const texts = [child.stdout, child.stderr].map((each) => new Response(each).text());
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  const [stdout = "", stderr = ""] = await Promise.all(texts);
  return { stdout, stderr };
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
  try {
    return Deno.build.os === "linux" &&
      new Deno.Command("perl", { args: ["-e", "use Fcntl"] }).outputSync().success;
  } catch {
    return false;
  }
}
