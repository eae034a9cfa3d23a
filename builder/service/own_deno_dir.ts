import { HotplugError } from "../../artifact/mod.ts";

/**
 * Asks Deno for the folder in which this process's own modules are cached.
 *
 * @throws {HotplugError} With code `toolchain`, if there is no Deno that could run them.
 */
export async function ownDenoDir(): Promise<string> {
  if (Deno.build.standalone) {
    throw new HotplugError(
      "toolchain",
      "Cannot serve builds from a compiled program: there is no Deno to run them; start the service " +
        "with deno run",
    );
  }
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (success) return (JSON.parse(decoder.decode(stdout)) as { denoDir: string }).denoDir;
  throw new HotplugError(
    "toolchain",
    `Cannot ask Deno for its folders:\n${decoder.decode(stderr)}`,
  );
}
