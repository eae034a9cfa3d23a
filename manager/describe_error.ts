/** What was thrown, in one line; never throws, whatever a plugin has thrown. */
export function describeError(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return `${thrown.name}: ${thrown.message}`;
    return typeof thrown === "string" ? thrown : Deno.inspect(thrown, { depth: 1 });
  } catch {
    return "something that can't be shown";
  }
}

/** The stack trace of what was thrown, if it has one; never throws. */
export function stackOf(thrown: unknown): string | undefined {
  try {
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    return typeof stack === "string" ? stack : undefined;
  } catch {
    return undefined;
  }
}
