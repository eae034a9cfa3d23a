import { type Hook, HotplugError, type Scn } from "../../artifact/mod.ts";
import type { PluginContext } from "../../plugin/mod.ts";
import { abortSignal } from "../guards/abort_signal.ts";
import { describeError } from "../describe_error.ts";
import type { Instance } from "../tiers/instance.ts";
import { pluginLogger } from "../tiers/plugin_logger.ts";
import type { PluginScope } from "../guards/plugin_scope.ts";
import { runHook } from "./run_hook.ts";

/** What the hooks of a generation are called with. */
export interface HooksInit {
  /** The plugin's name. */
  readonly name: string;
  /** The generation's sequence change number. */
  readonly scn: Scn;
  /** How messages name it. */
  readonly label: string;
  /** Its code as the guards know it. */
  readonly scope: PluginScope;
  /** What `activate` gets as `context.config`. */
  readonly config: unknown;
  /** How long each hook may take, in milliseconds. */
  readonly deadlines: Readonly<Record<Hook, number>>;
  /** Told of what fails when nobody waits for it. */
  trouble(error: HotplugError): void;
}

/** The hooks of one generation, and what was called of them so far. */
export class GenerationHooks {
  readonly #instance: Instance;
  readonly #init: HooksInit;
  #activation: AbortController | undefined;
  #quiesced = false;

  /** Makes the hooks of a module that is not active yet. */
  constructor(instance: Instance, init: HooksInit) {
    this.#instance = instance;
    this.#init = init;
  }

  /** Whether it was activated, and not deactivated since. */
  get active(): boolean {
    return this.#activation !== undefined;
  }

  /** Whether its `quiesce` was called, and neither `resume` nor `deactivate` since. */
  get quiesced(): boolean {
    return this.#quiesced;
  }

  /** Whether it exports the hook, and can be asked now. */
  has(hook: Hook): boolean {
    return this.#instance.alive && this.#instance.hooks.has(hook);
  }

  /** Calls `activate` with a context of its own. */
  async activate(
    reason: PluginContext["reason"],
    state: unknown,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, scn, scope, config } = this.#init;
    const controller = new AbortController();
    const logger = pluginLogger(name, scn);
    const context = { name, scn, reason, logger, signal: controller.signal, config, state };
    try {
      await this.#run("activate", signal, context);
    } catch (error) {
      abortSignal(scope, controller, error);
      throw error;
    }
    this.#activation = controller;
  }

  /** Calls `health`; false is a failure, as a throw is. */
  async checkHealth(signal: AbortSignal): Promise<void> {
    if (await this.#run("health", signal) !== false) return;
    const { label } = this.#init;
    throw new HotplugError("health", `Cannot use ${label}: its health answered false`);
  }

  /** Calls `quiesce`. */
  async quiesce(signal: AbortSignal): Promise<void> {
    this.#quiesced = true;
    await this.#run("quiesce", signal);
  }

  /** Calls `handover` and copies what it answers. */
  async handover(signal: AbortSignal): Promise<unknown> {
    const state = await this.#run("handover", signal);
    try {
      return structuredClone(state);
    } catch (cause) {
      const { label } = this.#init;
      throw new HotplugError(
        "handover",
        `Cannot take over the state of ${label}: it can't be copied: ${describeError(cause)}`,
        { cause },
      );
    }
  }

  /** Calls `resume` after a `quiesce` that led to nothing. */
  async resume(): Promise<void> {
    if (!this.#quiesced) return;
    this.#quiesced = false;
    await this.#quietly("resume");
  }

  /** Aborts the signal of what was activated, then calls `deactivate`. */
  async deactivate(reason: unknown): Promise<void> {
    const activation = this.#activation;
    this.#activation = undefined;
    this.#quiesced = false;
    if (activation) {
      abortSignal(this.#init.scope, activation, reason);
      // Not awaited where it has ended: it must not come back in between.
      if (this.#instance.alive) await this.#quietly("deactivate");
    }
    await this.#instance.rest();
  }

  /** Not given up when the manager closes: what was activated is deactivated then, too. */
  async #quietly(hook: "resume" | "deactivate"): Promise<void> {
    try {
      if (this.#instance.alive) await this.#run(hook, new AbortController().signal);
    } catch (error) {
      this.#init.trouble(error as HotplugError);
    }
  }

  #run(hook: Hook, signal: AbortSignal, context?: PluginContext): Promise<unknown> {
    const { label, deadlines } = this.#init;
    const call = { label, deadline: deadlines[hook], signal, ...(context && { context }) };
    return runHook(this.#instance, hook, call);
  }
}
