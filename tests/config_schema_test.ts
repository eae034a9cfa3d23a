import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { parseConfig, readConfig } from "../daemon/mod.ts";
import { configJsonSchema } from "../scripts/config_json_schema.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("the published schema is that of the program (deno task schema writes it)", async () => {
  const path = fromFileUrl(new URL("../hotplug.schema.json", import.meta.url));
  assertEquals(await Deno.readTextFile(path), configJsonSchema());
  assertEquals(JSON.parse(configJsonSchema()).additionalProperties, false);
});

Deno.test("a configuration file may begin with a byte order mark, as some editors write one", async () => {
  await using directory = await tempDirectory();
  const path = directory.file("hotplug.jsonc");
  await Deno.writeTextFile(path, '\uFEFF{ "log": "json" }');
  assertEquals((await readConfig(path)).log, "json");
});

Deno.test("a configuration file may hold comments, and names paths from its own folder", async () => {
  await using directory = await tempDirectory();
  const path = directory.file("hotplug.jsonc");
  await Deno.writeTextFile(
    path,
    `{
      // where they are
      "watch": ["plugins", "/srv/plugins"],
      "state": "state",
      "memory": { "soft": 536870912, "exit": true },
      "defaults": { "tier": "worker" },
      "plugins": { "pricing": { "config": { "vat": 0.2 }, "retention": { "count": 3 } } },
      "log": "json", "stopDeadline": 5,
    }`,
  );
  const { options, log, stopDeadline, exitOnMemory } = await readConfig(path);
  assertEquals(options, {
    watch: [directory.file("plugins"), "/srv/plugins"],
    state: directory.file("state"),
    memorySoft: 536870912,
    tier: "worker",
    plugins: { pricing: { config: { vat: 0.2 }, retention: { count: 3 } } },
  });
  assertEquals([log, stopDeadline, exitOnMemory], ["json", 5, true]);
});

Deno.test("a plugin may be named as what every object has, and keeps its settings", () => {
  const plugins = {
    constructor: { trust: ["release.key.pub"] },
    prototype: { tier: "process", env: { prototype: "1", PATH: "/bin" } },
    valueOf: { config: { constructor: 1 } },
  };
  const config = parseConfig(JSON.stringify({ plugins }), "hotplug.jsonc");
  assertEquals(JSON.stringify(config), JSON.stringify({ plugins }));
});

for (
  const text of [
    `{ "initialScn": 20261399000000 }`,
    `{ "retryMin": 5000, "retryMax": 10 }`,
    `{ "memory": { "soft": 2000000, "hard": 1500000 } }`,
    `{ "plugins": { "../pricing": {} } }`,
  ]
) {
  Deno.test(`a configuration file is named where it says ${text}`, async () => {
    await using directory = await tempDirectory();
    const path = directory.file("hotplug.jsonc");
    await Deno.writeTextFile(path, text);
    const error = await assertRejects(() => readConfig(path), HotplugError);
    assertEquals(error.code, "config");
    assert(error.message.includes(`"${path}"`), error.message);
  });
}

for (
  const [text, why] of [
    [`{ "watch": ["a"] "poll": 5 }`, "line 1, column 18: CommaExpected"],
    [`{\n  "wach": ["a"] }`, `"wach" is no setting`],
    [`{ "watch": ["a"],\n  "watch": ["b"] }`, `line 2, column 3: "watch" stands there twice`],
    [`{ "plugins": { "a": {}, "a": {} } }`, `"a" stands there twice`],
    [`{ "memory": { "sof": 1 } }`, `"memory.sof" is no setting`],
    [`{ "plugins": { "a": { "tier": "cloud" } } }`, `"plugins.a.tier"`],
    [`{ "plugins": { "prototype": { "tier": "cloud" } } }`, `"plugins.prototype.tier"`],
    [`{ "plugins": 1, "defaults": { "env": { "A": 1 } } }`, `"plugins": `],
    [`{ "defaults": { "env": { "A": 1 } } }`, `"defaults.env.A": Invalid type: Expected string`],
    [
      `{ "defaults": { "probation": { "calls": 5 } } }`,
      `"defaults.probation.calls" is no setting`,
    ],
    [
      `{ "plugins": { "a": { "probation": { "window": "1 min" } } } }`,
      `"plugins.a.probation.window"`,
    ],
    [`{ "plugins": { "a": { "probation": true } } }`, `"plugins.a.probation": `],
    [`{ "plugins": { "a": { "trust": [] } } }`, `"plugins.a.trust"`],
    [`{ "defaults": { "permissions": { "net": ["a", 80] } } }`, `"defaults.permissions.net.1": `],
    [`{ "memory": [] }`, `"memory": Invalid type: Expected Object but received Array`],
    [`{ "plugins": [] }`, `"plugins": Invalid type: Expected Object but received Array`],
    [`{ "plugins": { "a": [] } }`, `"plugins.a": `],
    [`{ "defaults": { "probation": [] } }`, `"defaults.probation": `],
    [`{ "defaults": { "permissions": ["net"] } }`, `"defaults.permissions": `],
    [`{ "initialScn": 12 }`, `"initialScn"`],
    [`{ "watch": [] }`, `"watch"`],
    [`[]`, "it is a list"],
    ["", "line 1, column 1: ValueExpected"],
  ] as const
) {
  Deno.test(`a configuration file that is ${JSON.stringify(text)} is refused with the place`, () => {
    const error = assertThrows(() => parseConfig(text, "hotplug.jsonc"), HotplugError);
    assertEquals(error.code, "config");
    assert(error.message.includes(why), error.message);
    assert(error.message.includes(`"hotplug.jsonc"`), error.message);
  });
}
