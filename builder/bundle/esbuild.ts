type Esbuild = typeof import("esbuild");

let users = 0;

/**
 * Lends esbuild, whose work is done by a child process of its own: the child is there as long as
 * somebody uses it, and ended with the last one.
 */
export async function withEsbuild<T>(use: (esbuild: Esbuild) => Promise<T>): Promise<T> {
  // Loaded when it is needed: most builds go without.
  const esbuild = await import("esbuild");
  users++;
  try {
    return await use(esbuild);
  } finally {
    users--;
    if (users === 0) await esbuild.stop();
  }
}
