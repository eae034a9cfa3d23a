import { getLogger } from "@logtape/logtape";
import { HotplugError } from "../../artifact/mod.ts";
import { describeError, framesOf } from "../../manager/describe_error.ts";
import { scopeOfFrames } from "../../manager/guards/plugin_scope.ts";

/** What fails at every request is logged so often, in milliseconds. */
const PAUSE = 1_000;

/** What is told, and of which plugin where that is known. */
interface Subject {
  readonly what: string;
  readonly plugin?: string;
}

/** What came of a subject since its last line. */
interface Pause {
  readonly subject: Subject;
  readonly timer: ReturnType<typeof setTimeout>;
  missed: number;
  /** The last that was missed. */
  error: unknown;
}

const ENDED: Subject = { what: "No more requests were accepted; it listens again" };

function unsendableOf(error: unknown): Subject {
  const plugin = scopeOfFrames(framesOf(error), () => undefined)?.name;
  return plugin === undefined
    ? { what: "The answer of a plugin can't be sent" }
    : { what: `The answer of plugin "${plugin}" can't be sent`, plugin };
}

/** Logs why requests failed: not all, where they are many, and then how many and the last reason. */
export class GatewayLog implements Disposable {
  readonly #logger = getLogger(["hotplug", "gateway"]);
  /** By what is told. */
  readonly #pauses = new Map<string, Pause>();
  #closed = false;

  /** Tells of a request that a plugin failed at. */
  failed(plugin: string, error: unknown): void {
    this.#tell({ what: `Plugin "${plugin}" failed at a request`, plugin }, error);
  }

  /** Tells of an answer that can't be sent, or not to its end; only its error says whose it is. */
  unsendable(error: unknown): void {
    // As announced, at a swap: nobody is to be woken for that.
    const isCut = error instanceof HotplugError && error.code === "retired";
    if (isCut) this.#logger.info("{text}", { text: `An answer was broken off: ${error.message}` });
    else this.#tell(unsendableOf(error), error);
  }

  /** Tells that no more requests were accepted, and that it is tried again. */
  ended(error: unknown): void {
    this.#tell(ENDED, error);
  }

  /** Tells what was held back; what comes later still is told at once. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const pause of this.#pauses.values()) {
      clearTimeout(pause.timer);
      this.#tellMissed(pause);
    }
    this.#pauses.clear();
  }

  #tell(subject: Subject, error: unknown): void {
    const pause = this.#pauses.get(subject.what);
    if (pause) {
      pause.missed++;
      pause.error = error;
      return;
    }
    this.#write(subject, "", error);
    if (!this.#closed) this.#pause(subject);
  }

  #pause(subject: Subject): void {
    const timer = setTimeout(() => {
      this.#pauses.delete(subject.what);
      if (this.#tellMissed(pause)) this.#pause(subject);
    }, PAUSE);
    // What was held back is told at the end as well: it need not keep a process for that.
    Deno.unrefTimer(Number(timer));
    const pause: Pause = { subject, timer, missed: 0, error: undefined };
    this.#pauses.set(subject.what, pause);
  }

  /** Answers whether there was something. */
  #tellMissed({ subject, missed, error }: Pause): boolean {
    if (missed > 0) this.#write(subject, ` (${missed} more, the last of them)`, error);
    return missed > 0;
  }

  #write({ what, plugin }: Subject, more: string, error: unknown): void {
    const text = `${what}${more}: ${describeError(error)}`;
    this.#logger.error("{text}", { text, ...(plugin !== undefined && { plugin }), error });
  }
}
