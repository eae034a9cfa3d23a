/** What was thrown, in one line; never throws, whatever a plugin has thrown. */
export function describeError(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return `${thrown.name}: ${thrown.message}`;
    return typeof thrown === "string" ? thrown : Deno.inspect(thrown, { depth: 1 });
  } catch {
    return "something that can't be shown";
  }
}

/** The frames of what was thrown, without its message; empty where it has none; never throws. */
export function framesOf(thrown: unknown): string {
  const stack = stackOf(thrown) ?? "";
  try {
    // A message may well quote the stack trace of another error.
    const { message } = thrown as Error;
    const at = typeof message === "string" ? stack.indexOf(message) : -1;
    return at < 0 ? stack : stack.slice(at + message.length);
  } catch {
    return stack;
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
