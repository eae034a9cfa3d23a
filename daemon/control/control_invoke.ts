import { HotplugError, type Scn } from "../../artifact/mod.ts";
import { describeError } from "../../manager/describe_error.ts";
import type { ControlTarget } from "./control_target.ts";

/** What is called, and with what. */
export interface Invocation {
  /** The symbol. */
  readonly symbol: string;
  /** Its arguments. */
  readonly args: readonly unknown[];
  /** How long it may take, in milliseconds. */
  readonly deadline: number;
}

/** What came of a call. */
export interface Invoked {
  /** The generation that was called. */
  readonly scn: Scn;
  /** What it answered with. */
  readonly result: unknown;
}

/**
 * Calls a symbol of the current generation.
 *
 * @throws {HotplugError} `call` with what the plugin threw, `clone` where the answer is no JSON,
 * `closed` while the daemon is closed; else as {@linkcode Lease.call}.
 */
export async function invoke(
  target: ControlTarget,
  name: string,
  { symbol, args, deadline }: Invocation,
): Promise<Invoked> {
  // What is under way is waited for, so nothing new is to begin.
  if (target.status().closed) throw new HotplugError("closed", "The daemon is being closed");
  using lease = target.manager.acquire(name, { label: "control", deadline });
  const value = await lease.call(symbol, ...args).catch((cause) => {
    if (cause instanceof HotplugError) throw cause;
    throw new HotplugError(
      "call",
      `"${symbol}" of plugin "${name}" threw: ${describeError(cause)}`,
      {
        cause,
      },
    );
  });
  return { scn: lease.scn, result: await asJson(value, `"${symbol}" of plugin "${name}"`) };
}

async function asJson(value: unknown, what: string): Promise<unknown> {
  try {
    if (isStream(value)) {
      await value.return?.();
      throw new TypeError("it is a stream");
    }
    const text = JSON.stringify(value);
    return text === undefined ? null : JSON.parse(text);
  } catch (cause) {
    throw new HotplugError(
      "clone",
      `${what} answered with what is no JSON: ${describeError(cause)}`,
      { cause },
    );
  }
}

function isStream(value: unknown): value is AsyncIterator<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
