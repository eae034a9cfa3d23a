import { assertEquals, assertRejects } from "@std/assert";
import { type DaemonOptions, PluginDaemon } from "../daemon/mod.ts";
import { type ErrorCode, HotplugError } from "../artifact/mod.ts";
import { type DaemonFixture, makeDaemon, publish } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

const [FIRST, SECOND] = [20240101000000, 20240101000001] as const;
/** Less than any process has. */
const TINY = 2 ** 20;

/** A daemon without limits, which takes over those that are set. */
function limitedDaemon(watch: string): DaemonFixture & {
  limit(limits: Partial<DaemonOptions>): Promise<void>;
} {
  let now: Partial<DaemonOptions> = {};
  const fixture = makeDaemon([watch], {
    reload: () => Promise.resolve({ watch: [watch], bareSettle: 50, ...now }),
  });
  return {
    ...fixture,
    limit: async (limits) => {
      now = limits;
      await fixture.daemon.reload();
    },
  };
}

async function skipped({ events }: DaemonFixture, code: ErrorCode): Promise<void> {
  await events.next((event) => event.type === "skipped" && event.code === code);
}

Deno.test("a soft limit above the hard one is refused with the remedy; the same, or one alone, is taken", async () => {
  const [less, more] = [2 ** 30, 2 ** 31];
  const take = async (limits: Partial<DaemonOptions>): Promise<void> => {
    await using daemon = new PluginDaemon({ watch: ["plugins"], ...limits });
    const { softLimit, hardLimit } = daemon.status().memory;
    assertEquals([softLimit, hardLimit], [limits.memorySoft, limits.memoryHard]);
  };
  await assertRejects(
    () => take({ memorySoft: more, memoryHard: less }),
    HotplugError,
    "give a soft limit that is reached before",
  );
  await take({ memorySoft: less, memoryHard: more });
  await take({ memorySoft: more, memoryHard: more });
  await take({ memorySoft: more });
  await take({ memoryHard: less });
});

Deno.test("past the soft limit nothing new is loaded, and what waits is, once there is room", async () => {
  await using directory = await tempDirectory();
  await using daemon = limitedDaemon(directory.path);
  await publish(directory.path, "export const answer = () => 1;", { scn: FIRST });
  await daemon.daemon.start();
  await daemon.limit({ memorySoft: TINY });
  await publish(directory.path, "export const answer = () => 2;", { scn: SECOND });
  await skipped(daemon, "memory");
  assertEquals(daemon.events.of("memory").map(({ level }) => level), ["soft"]);
  assertEquals(await daemon.daemon.manager.current("pricing")?.call("answer"), 1);
  await daemon.limit({});
  await daemon.loaded("pricing", SECOND);
  const told = daemon.events.of("memory").map(({ level, limit }) => [level, limit]);
  assertEquals(told, [["soft", TINY], ["ok", TINY]]);
});

Deno.test("past the soft limit no approval loads anything either", async () => {
  await using directory = await tempDirectory();
  await using daemon = limitedDaemon(directory.path);
  await publish(directory.path, "export const answer = () => 1;", { scn: FIRST });
  await daemon.daemon.start();
  const permissions = { net: ["example.com:443"] };
  await publish(directory.path, "export const answer = () => 2;", { scn: SECOND, permissions });
  await skipped(daemon, "approval-required");
  await daemon.limit({ memorySoft: TINY });
  const error = await assertRejects(() => daemon.daemon.approve("pricing"), HotplugError);
  assertEquals(error.code, "memory");
  assertEquals(await daemon.daemon.manager.current("pricing")?.call("answer"), 1);
});

Deno.test("a hard limit that comes with a reload is watched from then on", async () => {
  await using directory = await tempDirectory();
  await using daemon = limitedDaemon(directory.path);
  await daemon.daemon.start();
  await daemon.limit({ memoryHard: TINY });
  const event = await daemon.events.next(({ type }) => type === "memory");
  assertEquals(event.type === "memory" && event.level, "hard");
});
