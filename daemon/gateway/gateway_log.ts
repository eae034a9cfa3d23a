import { getLogger } from "@logtape/logtape";
import { HotplugError } from "../../artifact/mod.ts";
import { describeError } from "../../manager/describe_error.ts";

/** A plugin that fails at every request is logged so often, in milliseconds. */
const PAUSE = 1_000;

/** Logs why requests failed: not all, where they are many. */
export class GatewayLog {
  readonly #logger = getLogger(["hotplug", "gateway"]);
  readonly #last = new Map<string, { readonly at: number; missed: number }>();

  /** Tells of a request that a plugin failed at. */
  failed(plugin: string, error: unknown): void {
    this.#tell(plugin, `Plugin "${plugin}" failed at a request`, error);
  }

  /** Tells of an answer that was refused as it was to be sent; whose it is, nobody says then. */
  unsendable(error: unknown): void {
    // As announced, at a swap: nobody is to be woken for that.
    const isCut = error instanceof HotplugError && error.code === "retired";
    if (isCut) this.#logger.info("{text}", { text: `An answer was broken off: ${error.message}` });
    else this.#tell("", "The answer of a plugin can't be sent", error);
  }

  /** Tells that no more requests were accepted, and that it is tried again. */
  ended(error: unknown): void {
    this.#tell("", "No more requests were accepted; it listens again", error);
  }

  #tell(plugin: string, what: string, error: unknown): void {
    const last = this.#last.get(plugin);
    const now = performance.now();
    if (last && now - last.at < PAUSE) return void last.missed++;
    this.#last.set(plugin, { at: now, missed: 0 });
    const missed = last?.missed ? ` (and ${last.missed} more since the last time)` : "";
    const text = `${what}${missed}: ${describeError(error)}`;
    this.#logger.error("{text}", { text, ...(plugin !== "" && { plugin }), error });
  }
}
