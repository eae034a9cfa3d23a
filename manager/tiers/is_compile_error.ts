import { stackOf } from "../describe_error.ts";
import { HOST_FILE } from "./process_command.ts";

/** How the runtime says that its parser, or what looks for a module's imports, has refused it. */
const REFUSED = /^(SyntaxError: |No such built-in module: |Unsupported scheme "node" )/;

/**
 * Tells whether an import failed before the module ran: it could not be parsed or linked.
 *
 * The runtime says so only between the lines. Its parser's errors are a TypeError with a code; the
 * engine's are a SyntaxError without a frame in the module, while one that the module's own code
 * throws (`JSON.parse`, `new RegExp`) has one. In a process or worker both have frames in what has
 * imported the module, which lies beside it.
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
    const host = `${directoryUrl}${HOST_FILE}:`;
    return !frames.some((frame) =>
      /^\s+at /.test(frame) && frame.includes(directoryUrl) && !frame.includes(host)
    );
  }
  return error instanceof TypeError &&
    (error as { code?: unknown }).code === "ERR_MODULE_NOT_FOUND" &&
    REFUSED.test(error.message);
}
