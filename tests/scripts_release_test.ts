import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type ReleaseConfig, releaseConfig } from "../scripts/release.ts";

const CONFIG: ReleaseConfig = {
  name: "@hotplug/hotplug",
  version: "0.1.0",
  imports: { "@std/path": "jsr:@std/path@1.1.6" },
  links: ["./std/path"],
  lock: { frozen: true },
  publish: { exclude: ["tests/"] },
};

Deno.test("a release has no links, no stand-ins and no lock, and all the rest", () => {
  const before = structuredClone(CONFIG);
  assertEquals(releaseConfig(CONFIG, "v0.1.0"), {
    name: "@hotplug/hotplug",
    version: "0.1.0",
    imports: { "@std/path": "jsr:@std/path@1.1.6" },
    lock: false,
    publish: { exclude: ["tests/", "std/"] },
  });
  assertEquals(CONFIG, before);
});

Deno.test("making a release of a release changes nothing", () => {
  const once = releaseConfig(CONFIG, "v0.1.0");
  assertEquals(releaseConfig(once, "v0.1.0"), once);
});

Deno.test("a tag that is not the version is refused, and the message names both", () => {
  for (const tag of ["", "0.1.0", "v0.1", "v0.1.1", "v0.1.0 ", "V0.1.0", "main"]) {
    const error = assertThrows(() => releaseConfig(CONFIG, tag), Error, JSON.stringify(tag));
    assertStringIncludes(error.message, `"0.1.0"`);
  }
  const { version: _version, ...none } = CONFIG;
  assertThrows(() => releaseConfig(none, "vundefined"), Error, "Cannot release");
});

Deno.test("the script rewrites the checkout it lies in, or leaves it alone on a wrong tag", async () => {
  const root = await Deno.makeTempDir({ prefix: "hotplug-release-" });
  try {
    await Deno.mkdir(`${root}/scripts`);
    const script = `${root}/scripts/release.ts`;
    await Deno.copyFile(new URL("../scripts/release.ts", import.meta.url), script);
    const text = JSON.stringify(CONFIG);
    await Deno.writeTextFile(`${root}/deno.json`, text);
    const release = (tag: string): Promise<Deno.CommandOutput> =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-config", "--no-lock", "-RWE", script, tag],
        stdout: "null",
        stderr: "piped",
      }).output();
    const refused = await release("v9.9.9");
    assertEquals(refused.success, false);
    assertStringIncludes(new TextDecoder().decode(refused.stderr), `"v9.9.9"`);
    assertEquals(await Deno.readTextFile(`${root}/deno.json`), text);
    assertEquals((await release("v0.1.0")).success, true);
    const written = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
    assertEquals(written, releaseConfig(CONFIG, "v0.1.0"));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
