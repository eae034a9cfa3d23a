import { stackOf } from "../describe_error.ts";

/**
 * Tells whether an import failed before the module ran: it could not be parsed or linked.
 *
 * The runtime says so only between the lines. Its parser's errors are a TypeError with a code; the
 * engine's are a SyntaxError without a frame in the module, while one that the module's own code
 * throws (`JSON.parse`, `new RegExp`) has one.
 */
export function isCompileError(error: unknown, directoryUrl: string): boolean {
  try {
    return judge(error, directoryUrl);
  } catch {
    // A plugin may throw a proxy that answers no question: then its code ran.
    return false;
  }
}

function judge(error: unknown, directoryUrl: string): boolean {
  if (error instanceof SyntaxError) {
    const frames = (stackOf(error) ?? "").split("\n").slice(1);
    return !frames.some((frame) => /^\s+at /.test(frame) && frame.includes(directoryUrl));
  }
  return error instanceof TypeError &&
    (error as { code?: unknown }).code === "ERR_MODULE_NOT_FOUND" &&
    /^(SyntaxError: |No such built-in module: )/.test(error.message);
}
