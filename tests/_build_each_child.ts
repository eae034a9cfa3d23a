// Builds every file of a folder in one process, and prints how each went: one JSON object a line.
import { join } from "@std/path";
import { build } from "../builder/mod.ts";
import { HotplugError } from "../artifact/mod.ts";

const [folder = "", dest = ""] = Deno.args;
for (const file of [...Deno.readDirSync(folder)].map(({ name }) => name).sort()) {
  const outcome = await build({ source: join(folder, file), dest, name: "hostile", check: false })
    .then(() => ({ code: "built", message: "" }), (error: unknown) => {
      if (!(error instanceof HotplugError)) return { code: "untyped", message: String(error) };
      return { code: error.code, message: error.message };
    });
  // deno-lint-ignore no-console
  console.log(JSON.stringify({ file, ...outcome }));
}
