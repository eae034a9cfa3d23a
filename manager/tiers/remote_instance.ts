import { type Hook, HotplugError } from "../../artifact/mod.ts";
import {
  decode,
  type FetchInfo,
  type LoadedExports,
  receiveResponse,
  sendRequest,
  type SentContext,
  type SentResponse,
} from "../../plugin/mod.ts";
import { DeadlineClock } from "../deadline_clock.ts";
import { describeError } from "../describe_error.ts";
import type { CallLimits, FetchWay, Instance } from "./instance.ts";
import { followUpload } from "./followed_upload.ts";
import { limited, type Limits } from "../limited.ts";
import type { Tier } from "../settings/plugin_settings.ts";
import { RestartPause } from "./restart_pause.ts";
import type { RemoteSpec } from "./remote_spec.ts";
import type { Runner } from "./runner.ts";
import { endIfSilent, giveUp, reasonOf } from "./end_runner.ts";
import { startLoaded } from "./start_loaded.ts";

/** A module in a process or worker: started again when that crashes. */
export class RemoteInstance implements Instance {
  readonly tier: Exclude<Tier, "inline">;
  readonly symbols: readonly string[];
  readonly hooks: ReadonlySet<Hook>;
  readonly #spec: RemoteSpec;
  readonly #exports: LoadedExports;
  readonly #functions: ReadonlySet<string>;
  readonly #values = new Map<string, unknown>();
  readonly #closing = new AbortController();
  readonly #clock = new DeadlineClock();
  readonly #pause = new RestartPause();
  /** Gives up the restart that is under way. */
  #restartOff = new AbortController();
  #runner: Runner | undefined;
  #context: SentContext | undefined;
  #reason: HotplugError | undefined;
  /** Deactivated: nobody calls it, so it is not started again. */
  #resting = false;
  #restarting: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Starts one and loads its module.
   *
   * @throws {HotplugError} `load` or `syntax` with the module's error as the cause, `deadline`,
   * `crashed`, `protocol`, or what starting throws.
   */
  static async start(spec: RemoteSpec): Promise<RemoteInstance> {
    const { runner, exports } = await startLoaded(spec, spec.closing);
    return new RemoteInstance(spec, runner, exports);
  }

  private constructor(spec: RemoteSpec, runner: Runner, exports: LoadedExports) {
    this.tier = spec.tier;
    this.#spec = spec;
    this.#exports = exports;
    this.#functions = new Set(exports.functions);
    this.symbols = [...exports.functions, ...exports.values.keys()].sort();
    this.hooks = new Set(exports.hooks as readonly Hook[]);
    this.#adopt(runner);
  }

  get alive(): boolean {
    return this.#runner !== undefined;
  }

  get bytes(): number {
    return this.#runner?.memory() ?? this.#spec.size;
  }

  get serves(): boolean {
    return this.#exports.serves === true;
  }

  isFunction(symbol: string): boolean {
    return this.#functions.has(symbol);
  }

  value(symbol: string): unknown {
    if (this.#values.has(symbol)) return this.#values.get(symbol);
    const copy = this.#exports.values.get(symbol);
    if (!copy) return undefined;
    if ("refused" in copy) {
      throw new HotplugError(
        "clone",
        `Cannot look up "${symbol}" of ${this.#spec.label}, which runs in a ${this.tier}: ${copy.refused}`,
      );
    }
    try {
      const value = decode(copy);
      this.#values.set(symbol, value);
      return value;
    } catch (cause) {
      const why = describeError(cause);
      throw new HotplugError("clone", `Cannot look up "${symbol}" of ${this.#spec.label}: ${why}`, {
        cause,
      });
    }
  }

  async call(symbol: string, args: readonly unknown[], limits: CallLimits): Promise<unknown> {
    return await this.#callLimited(limits, `The call of "${symbol}"`, "call", symbol, args);
  }

  async fetch(
    request: Request,
    info: FetchInfo,
    limits: CallLimits,
    { pin }: FetchWay,
  ): Promise<Response> {
    const sent = sendRequest(request, info);
    const { body, extra } = followUpload(sent.body, limits.deadline);
    const what = "The answer to the request";
    const answer = await this.#callLimited({ ...limits, extra }, what, "fetch", { ...sent, body });
    return receiveResponse(answer as SentResponse, pin);
  }

  #callLimited(
    limits: Limits,
    what: string,
    method: string,
    ...args: unknown[]
  ): Promise<unknown> {
    const runner = this.#running();
    const call = runner.connection.callScoped(method, ...args);
    return limited(call, limits, what, () => this.#probe(runner, "a call's"), this.#clock);
  }

  async hook(name: Hook, context?: object): Promise<unknown> {
    if (name === "activate" && context) {
      this.#context = sentContext(context);
      await this.#wake();
    }
    if (name === "deactivate") this.#resting = true;
    const { connection } = this.#running();
    return this.hooks.has(name) ? await this.#callHook(connection, name) : undefined;
  }

  hookLate(): void {
    if (this.#runner) this.#probe(this.#runner, "a hook's");
  }

  async rest(): Promise<void> {
    this.#resting = true;
    this.#restartOff.abort(this.#restReason());
    await this.#restarting?.catch(() => {});
  }

  close(reason: HotplugError): Promise<void> {
    return this.#closed ??= this.#close(reason);
  }

  async #close(reason: HotplugError): Promise<void> {
    this.#reason = reason;
    this.#closing.abort(reason);
    this.#restartOff.abort(reason);
    this.#clock.close();
    const runner = this.#runner;
    this.#runner = undefined;
    const lost = runner && await giveUp(runner, reason, this.#spec);
    // It goes on taking a processor, though nobody calls it any more.
    if (lost) this.#spec.events.crashed(lost);
    await this.#restarting?.catch(() => {});
  }

  #callHook(connection: Runner["connection"], name: Hook): Promise<unknown> {
    return name === "activate"
      ? connection.call("hook", name, this.#context)
      : connection.call("hook", name);
  }

  #running(): Runner {
    if (this.#runner) return this.#runner;
    throw this.#reason ?? (this.#resting ? this.#restReason() : new HotplugError(
      "crashed",
      `Cannot call ${this.#spec.label}: its ${this.tier} has ended and is being started again; ` +
        "try again",
    ));
  }

  #restReason(): HotplugError {
    return new HotplugError(
      "retired",
      `Cannot call ${this.#spec.label}: its ${this.tier} ended while another version serves; begin ` +
        "again there, or roll back to this one",
    );
  }

  #adopt(runner: Runner, signal?: AbortSignal): void {
    if (signal?.aborted) {
      runner.kill(reasonOf(signal.reason));
      throw signal.reason;
    }
    this.#runner = runner;
    this.#pause.started();
    void runner.ended.then((error) => this.#ended(runner, error));
  }

  #ended(runner: Runner, error: HotplugError): void {
    if (this.#runner !== runner) return;
    this.#runner = undefined;
    this.#spec.events.crashed(error);
    const { mayRestart = () => true, label } = this.#spec;
    if (!mayRestart()) {
      // Not `crashed`: there is nothing that a call could be tried again with.
      this.#reason = new HotplugError(
        "retired",
        `Cannot call ${label}: its ${this.tier} was lost too often to be started again; load another ` +
          "version, in a process",
        { cause: error },
      );
    } else if (!this.#resting) this.#restart().catch(() => {});
  }

  #restart(): Promise<void> {
    return this.#restarting ??= this.#restartUntilUp().finally(() => this.#restarting = undefined);
  }

  /** To be activated: one that has ended is started at once, and once. */
  async #wake(): Promise<void> {
    if (this.#restarting && !this.#runner) await this.rest();
    this.#resting = false;
    this.#closing.signal.throwIfAborted();
    if (this.#restartOff.signal.aborted) this.#restartOff = new AbortController();
    if (this.#runner) return;
    const { signal } = this.#restartOff;
    const waking = startLoaded(this.#spec, signal).then(({ runner }) =>
      this.#adopt(runner, signal)
    );
    this.#restarting = waking.finally(() => this.#restarting = undefined);
    await this.#restarting;
  }

  async #restartUntilUp(): Promise<void> {
    const { signal } = this.#restartOff;
    while (!this.#runner) {
      await this.#pause.wait(signal);
      try {
        await this.#restartOnce(signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#spec.events.crashed(error as HotplugError);
      }
    }
    this.#spec.events.restarted();
  }

  /** Once more as it was, but for its state: that went with the crash. */
  async #restartOnce(signal: AbortSignal): Promise<void> {
    const { runner } = await startLoaded(this.#spec, signal);
    try {
      if (this.#context && this.hooks.has("activate")) {
        this.#context = { ...this.#context, state: undefined };
        const activating = this.#callHook(runner.connection, "activate");
        const limits = { signal, deadline: this.#spec.activateDeadline };
        await limited(activating, limits, `Activation of ${this.#spec.label} after a crash`);
      }
    } catch (error) {
      await giveUp(runner, error, this.#spec);
      if (error instanceof HotplugError) throw error;
      throw new HotplugError("crashed", describeError(error), { cause: error });
    }
    this.#adopt(runner, signal);
  }

  /** A deadline is over: one that does not answer at all is ended. */
  #probe(runner: Runner, of: string): void {
    void endIfSilent(runner, this.#spec, of);
  }
}

function sentContext(context: object): SentContext {
  const { name, scn, reason, signal, config, state } = context as Record<string, unknown>;
  return { name: String(name), scn, reason, signal, config, state };
}
