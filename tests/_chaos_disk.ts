import { join } from "@std/path";

/** A small disk that can be filled. */
export interface Disk extends AsyncDisposable {
  /** Where it is. */
  readonly path: string;
  /** Takes all its space. */
  fill(): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
}

/** Mounts a small disk on the folder; undefined where this process must not. */
export async function mountDisk(path: string): Promise<Disk | undefined> {
  if (Deno.build.os !== "linux" || !await run("mount", "-t", "tmpfs", "-o", "size=8m", "t", path)) {
    return undefined;
  }
  const filler = join(path, "filler");
  return {
    path,
    async fill() {
      using file = await Deno.open(filler, { create: true, write: true });
      const bytes = new Uint8Array(64 * 1024);
      try {
        for (;;) await file.write(bytes);
      } catch {
        // Full: to the last byte, so that a small file does not fit either.
        for (let size = 4096; size >= 1; size /= 2) {
          await file.write(bytes.subarray(0, size)).catch(() => {});
        }
      }
    },
    free: () => Deno.remove(filler).catch(() => {}),
    async [Symbol.asyncDispose]() {
      await run("umount", path);
    },
  };
}

async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args, stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
}
