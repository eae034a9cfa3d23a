import { assertEquals, assertMatch } from "@std/assert";
import { formatPlugins, formatStatus } from "../cli/ctl_format.ts";
import { PluginManager, type Tier } from "../manager/mod.ts";
import { SCN, writeArtifact } from "./_artifacts.ts";
import { startDaemon } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("a status for people says that memory keeps new versions out, and only then", async () => {
  const over = /^memory {5}\d+ MiB, heap \d+ MiB; more than 1 MiB: nothing more is loaded$/m;
  for (
    const [limits, line] of [
      [{ memorySoft: 2 ** 20 }, over],
      [{ memoryHard: 2 ** 20 }, over],
      [{ memorySoft: 2 ** 40 }, /^memory {5}\d+ MiB, heap \d+ MiB$/m],
      [{}, /^memory {5}\d+ MiB, heap \d+ MiB$/m],
    ] as const
  ) {
    await using fixture = await startDaemon(limits);
    assertMatch(formatStatus(fixture.daemon.status()), line);
  }
});

Deno.test("a list of plugins tells the tier of what serves, and not of what had its SCN before", async () => {
  await using directory = await tempDirectory();
  let tier: Tier = "inline";
  await using manager = new PluginManager({ tier: () => tier, retention: { count: 5 } });
  const [first, second] = [
    await writeArtifact(directory.path, "export const answer = () => 1;"),
    await writeArtifact(directory.path, "export const answer = () => 2;", { scn: SCN + 1 }),
  ];
  await manager.open(first.path);
  await manager.open(second.path);
  await manager.rollback("pricing");
  manager.release("pricing");
  tier = "worker";
  await manager.open(second.path);
  const [, row = ""] = formatPlugins(manager.status()).split("\n");
  assertEquals(row.split(/\s+/).slice(0, 3), ["pricing", String(SCN + 1), "worker"]);
});
