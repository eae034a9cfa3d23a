import { type ErrorCode, HotplugError } from "../../artifact/mod.ts";
import {
  Connection,
  fromPort,
  type LogRecord,
  type PortMessage,
  toPort,
} from "../../plugin/mod.ts";
import { ping } from "./ping.ts";
import type { Runner, RunnerEvents } from "./runner.ts";
import type { OnThreadEnd, WorkerThread } from "./worker_thread.ts";

/** How a worker is watched. */
export interface Heartbeat {
  /** Time between two beats, in milliseconds. */
  readonly interval: number;
  /** After so long without a sign of life it counts as lost, in milliseconds. */
  readonly lostAfter: number;
}

/** What a worker that runs a plugin is made of. */
export interface WorkerInit {
  /** What it is, for messages. */
  readonly label: string;
  /** Starts the thread. */
  readonly start: (onEnd: OnThreadEnd) => WorkerThread;
  /** How it is watched. */
  readonly heartbeat: Heartbeat;
  /** Told when it is lost: it went, or it is busy and answers no more. */
  readonly lost: (isBusy: boolean) => void;
}

/** So ends one that is lost. */
const LOST: ReadonlySet<ErrorCode> = new Set(["crashed", "protocol"]);

/** A worker that runs a plugin, from its start to its end. */
export class WorkerRunner implements Runner {
  readonly connection: Connection;
  readonly ended: Promise<HotplugError>;
  readonly #init: WorkerInit;
  readonly #events: RunnerEvents;
  readonly #thread: WorkerThread;
  readonly #port: MessagePort;
  readonly #end = Promise.withResolvers<HotplugError>();
  readonly #timer: ReturnType<typeof setInterval>;
  #memory: number | undefined;
  #beating = false;
  #reason: HotplugError | undefined;
  #hasEnded = false;

  /** Starts it. */
  constructor(init: WorkerInit, events: RunnerEvents) {
    this.#init = init;
    this.#events = events;
    this.ended = this.#end.promise;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#thread = init.start((why, error) => this.#ended(why, error));
    this.connection = new Connection(
      new Map([["late", (what: string, error: unknown) => events.late(what, error)]]),
      (message) => port1.postMessage(toPort(message)),
    );
    port1.onmessage = ({ data }: MessageEvent<PortMessage>) => this.#receive(data);
    this.#thread.greet({ hotplug: port2 });
    this.#timer = setInterval(() => void this.#beat(), init.heartbeat.interval);
    Deno.unrefTimer(Number(this.#timer));
  }

  memory(): number | undefined {
    return this.#memory;
  }

  kill(reason: HotplugError, isLost = LOST.has(reason.code)): void {
    if (this.#reason) return;
    this.#reason = reason;
    if (isLost) this.#init.lost(!this.#hasEnded && reason.code !== "protocol");
    clearInterval(this.#timer);
    this.#port.close();
    this.#thread.terminate();
    this.connection.close(() =>
      new HotplugError(reason.code, reason.message, { cause: reason.cause })
    );
    this.#end.resolve(reason);
  }

  #ended(why: string, error?: unknown): void {
    this.#hasEnded = true;
    this.#crash(why, error);
  }

  #crash(why: string, error?: unknown): void {
    this.kill(this.#error("crashed", `it ${why}`, error));
  }

  #receive(message: PortMessage): void {
    if (this.#reason) return;
    try {
      if (typeof message === "string") this.connection.receive(fromPort(message));
      else if ("message" in message) this.connection.receive(message.message);
      else if ("log" in message) this.#receiveLog(message.log);
      else this.#ended(`ended by itself with code ${message.exit}`);
    } catch (error) {
      this.kill(this.#error("protocol", (error as Error).message, error));
    }
  }

  #receiveLog(record: LogRecord): void {
    this.#events.log(record);
    if (record.dropped) this.#events.flooded(record.dropped);
  }

  async #beat(): Promise<void> {
    if (this.#beating) return;
    this.#beating = true;
    const { lostAfter } = this.#init.heartbeat;
    try {
      const { heapUsed } = await ping(this.connection, lostAfter);
      this.#memory = heapUsed;
    } catch (error) {
      if ((error as HotplugError).code !== "deadline") return;
      this.#crash(`did not answer for ${lostAfter} ms: it is busy, or gone`);
    } finally {
      this.#beating = false;
    }
  }

  #error(code: ErrorCode, why: string, cause?: unknown): HotplugError {
    const { label } = this.#init;
    return new HotplugError(code, `The worker of ${label} failed: ${why}`, { cause });
  }
}
