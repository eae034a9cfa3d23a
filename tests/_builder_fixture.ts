import { dirname, fromFileUrl, join } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";

/** The repository's example, as a path. */
export const PRICING: string = fromFileUrl(new URL("../examples/pricing", import.meta.url));

/** A temporary folder with `source` files written into it and an empty `dest` beside. */
export interface BuilderFixture extends AsyncDisposable {
  readonly root: string;
  readonly source: string;
  readonly dest: string;
  /** The names in the destination, sorted. */
  list(): Promise<string[]>;
}

export async function builderFixture(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<BuilderFixture> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "builder-test-" }));
  const [source, dest] = [join(root, "source"), join(root, "dest")];
  await Deno.mkdir(source);
  await Deno.mkdir(dest);
  for (const [path, content] of Object.entries(files)) {
    await Deno.mkdir(dirname(join(source, path)), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(join(source, path), content);
    else await Deno.writeFile(join(source, path), content);
  }
  return {
    root,
    source,
    dest,
    list: async () => (await Array.fromAsync(Deno.readDir(dest), ({ name }) => name)).sort(),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** Awaits the failure of a promise and answers with it. */
export async function failureOf(promise: Promise<unknown>, what = "it"): Promise<HotplugError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof HotplugError) return error;
    throw error;
  }
  throw new Error(`${what} did not fail`);
}

/** A build in a process of its own. */
export function spawnBuild(
  source: string,
  dest: string,
  env: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Deno.ChildProcess {
  const script = fromFileUrl(new URL("./_build_child.ts", import.meta.url));
  const config = fromFileUrl(new URL("../deno.json", import.meta.url));
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `--config=${config}`, script, source, dest, ...flags],
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}
