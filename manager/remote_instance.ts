import { type Hook, HotplugError } from "../artifact/mod.ts";
import { decode, type LoadedExports, type Pong, type SentContext } from "../plugin/mod.ts";
import { DeadlineClock } from "./deadline_clock.ts";
import { describeError } from "./describe_error.ts";
import type { CallLimits, Instance } from "./instance.ts";
import { limited } from "./limited.ts";
import type { Tier } from "./plugin_settings.ts";
import { RestartPause } from "./restart_pause.ts";
import type { Runner, RunnerEvents, StartRunner } from "./runner.ts";

/** What a remote instance is made of. */
export interface RemoteSpec {
  /** Where it runs. */
  readonly tier: Exclude<Tier, "inline">;
  /** What it is, for messages: `plugin "pricing" (SCN 20261123014512)`. */
  readonly label: string;
  /** Starts the process or worker: the first one, and after a crash the next. */
  readonly start: StartRunner;
  /** The URL of the module; undefined for an executable. */
  readonly url: string | undefined;
  /** How long start and top level may take, in milliseconds. */
  readonly startDeadline: number;
  /** How long `activate` may take when it is started again, in milliseconds. */
  readonly activateDeadline: number;
  /** How long a ping may take after a call's deadline, in milliseconds. */
  readonly pingDeadline: number;
  /** The size of the content, in bytes: what it holds at least. */
  readonly size: number;
  /** Whether it may be started again after a crash; asked each time. */
  readonly mayRestart?: () => boolean;
  /** Gives up what is under way. */
  readonly closing: AbortSignal;
  /** Told of what happens besides calls. */
  readonly events: RemoteEvents;
}

/** Told of what a remote instance does besides answering. */
export interface RemoteEvents extends RunnerEvents {
  /** Its process or worker has ended. */
  crashed(error: HotplugError): void;
  /** It runs again. */
  restarted(): void;
}

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
    const runner = this.#running();
    const call = runner.connection.callScoped("call", symbol, args);
    return await limited(call, limits, `The call of "${symbol}"`, () => {
      void this.#probe(runner);
    }, this.#clock);
  }

  async hook(name: Hook, context?: object): Promise<unknown> {
    if (name === "activate" && context) {
      this.#context = sentContext(context);
      this.#resting = false;
      if (!this.#runner) await this.#restart();
    }
    const { connection } = this.#running();
    try {
      return this.hooks.has(name) ? await this.#callHook(connection, name) : undefined;
    } finally {
      if (name === "deactivate") this.#resting = true;
    }
  }

  close(reason: HotplugError): Promise<void> {
    return this.#closed ??= this.#close(reason);
  }

  async #close(reason: HotplugError): Promise<void> {
    this.#reason = reason;
    this.#closing.abort(reason);
    this.#clock.close();
    const runner = this.#runner;
    this.#runner = undefined;
    runner?.kill(reason);
    await runner?.ended;
    await this.#restarting?.catch(() => {});
  }

  #callHook(connection: Runner["connection"], name: Hook): Promise<unknown> {
    return name === "activate"
      ? connection.call("hook", name, this.#context)
      : connection.call("hook", name);
  }

  #running(): Runner {
    if (this.#runner) return this.#runner;
    throw this.#reason ?? new HotplugError(
      "crashed",
      `Cannot call ${this.#spec.label}: its ${this.tier} has ended and is being started again; ` +
        "try again",
    );
  }

  #adopt(runner: Runner): void {
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
      this.#reason = new HotplugError(
        "crashed",
        `Cannot call ${label}: its ${this.tier} was lost too often to be started again; load another ` +
          "version, in a process",
        { cause: error },
      );
    } else if (!this.#resting) this.#restart().catch(() => {});
  }

  #restart(): Promise<void> {
    return this.#restarting ??= this.#restartUntilUp().finally(() => this.#restarting = undefined);
  }

  async #restartUntilUp(): Promise<void> {
    const { signal } = this.#closing;
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
      runner.kill(asHotplugError(error));
      await runner.ended;
      throw asHotplugError(error);
    }
    this.#adopt(runner);
  }

  /** A call's deadline is over: one that does not answer at all is ended. */
  async #probe(runner: Runner): Promise<void> {
    const { pingDeadline, label } = this.#spec;
    try {
      const ping = runner.connection.call("ping") as Promise<Pong>;
      await limited(ping, { deadline: pingDeadline }, "ping");
    } catch (error) {
      if ((error as HotplugError).code !== "deadline") return;
      runner.kill(
        new HotplugError(
          "crashed",
          `The ${this.tier} of ${label} did not answer for ${pingDeadline} ms after a call's ` +
            "deadline, and was ended; the call may be tried again",
        ),
      );
    }
  }
}

async function startLoaded(
  spec: RemoteSpec,
  signal: AbortSignal,
): Promise<{ readonly runner: Runner; readonly exports: LoadedExports }> {
  const limits = { signal, deadline: spec.startDeadline };
  const runner = await spec.start(spec.events, signal);
  try {
    const loading = runner.connection.call("load", { url: spec.url });
    const exports = await limited(loading, limits, `Start of ${spec.label}`);
    if (isExports(exports)) return { runner, exports };
    throw new HotplugError(
      "protocol",
      `The ${spec.tier} of ${spec.label} does not say what it has`,
    );
  } catch (error) {
    runner.kill(asHotplugError(error));
    await runner.ended;
    throw error;
  }
}

/** What a process says of itself is not to be believed without a look. */
function isExports(value: unknown): value is LoadedExports {
  if (typeof value !== "object" || value === null) return false;
  const { functions, values, hooks } = value as Partial<LoadedExports>;
  const areNames = (list: unknown): boolean =>
    Array.isArray(list) && list.every((each) => typeof each === "string");
  return areNames(functions) && areNames(hooks) && values instanceof Map;
}

function asHotplugError(error: unknown): HotplugError {
  if (error instanceof HotplugError) return error;
  return new HotplugError("crashed", describeError(error), { cause: error });
}

function sentContext(context: object): SentContext {
  const { name, scn, reason, signal, config, state } = context as Record<string, unknown>;
  return { name: String(name), scn, reason, signal, config, state };
}
