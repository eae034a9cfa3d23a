/** The system's word for what went wrong (`ENOENT`, `EEXIST`, …); nothing if there is none. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Awaits the answer; gives `fallback` if the file is not there, or went away meanwhile. */
export async function unlessMissing<T, F>(answer: Promise<T>, fallback: F): Promise<T | F> {
  try {
    return await answer;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return fallback;
    throw error;
  }
}
