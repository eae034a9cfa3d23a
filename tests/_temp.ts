import { join } from "@std/path";

/** A folder that goes when its scope ends. */
export interface TempDirectory extends AsyncDisposable {
  /** Its absolute path, links resolved. */
  readonly path: string;
  /** The path of something in it. */
  file(...parts: string[]): string;
}

/** Makes a folder for one test: `await using directory = await tempDirectory()`. */
export async function tempDirectory(): Promise<TempDirectory> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "hotplug-test-" }));
  return {
    path,
    file: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** The files below a folder that this process has open, gone ones too; known on Linux only. */
export async function openFilesIn(folder: string): Promise<string[]> {
  if (Deno.build.os !== "linux") return [];
  const open = await Array.fromAsync(
    Deno.readDir("/proc/self/fd"),
    async ({ name }) => await Deno.readLink(`/proc/self/fd/${name}`).catch(() => ""),
  );
  return open.filter((path) => path.startsWith(folder));
}
