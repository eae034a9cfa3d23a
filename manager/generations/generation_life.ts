import { setImmediate } from "node:timers";
import {
  type ArtifactName,
  type Hook,
  HotplugError,
  type InfoFile,
  type PublicKey,
} from "../../artifact/mod.ts";
import type { ReadArtifact } from "../artifacts/read_artifact.ts";
import {
  createGeneration,
  type Generation,
  type GenerationSource,
  type GenerationState,
} from "./generation.ts";
import type { Drain } from "./drain.ts";
import { type CallBounds, fillBounds, GenerationCalls } from "./generation_calls.ts";
import { GenerationHooks } from "./generation_hooks.ts";
import type { Instance } from "../tiers/instance.ts";
import type { PluginScope } from "../guards/plugin_scope.ts";
import type { ResolvedPluginSettings } from "../settings/plugin_settings.ts";

/** What a generation is made from. */
export interface LifeInit extends Pick<ReadArtifact, "sha256" | "info"> {
  /** What the artifact's name says. */
  readonly parts: ArtifactName;
  /** The file that it was read from. */
  readonly path: string;
  /** The trusted keys that signed it; none where no signature was asked for. */
  readonly signers: readonly PublicKey[];
  /** Its module, evaluated. */
  readonly instance: Instance;
  /** How it is run. */
  readonly settings: ResolvedPluginSettings;
  /** Its code as the guards know it. */
  readonly scope: PluginScope;
  /** Gives back what lies on disk of it. */
  readonly discard: () => Promise<void>;
}

/** What a generation's life needs of its manager. */
export interface LifeWorld {
  /** How long each hook may take, in milliseconds. */
  readonly hookDeadlines: Readonly<Record<Hook, number>>;
  /** Told of what fails when nobody waits for it. */
  trouble(life: GenerationLife, error: HotplugError): void;
  /** Told when it is parked. */
  parked(life: GenerationLife, drain: Drain): void;
  /** Told when the last holder leaves what is parked already. */
  left(life: GenerationLife): void;
  /** Told at the end of each call, and of each crash. */
  called(life: GenerationLife): void;
  /** Told of one that is under no probation, before it is current. */
  proven(life: GenerationLife): void;
}

/** The manager's hand on a generation: its state, from the load to its end. */
export class GenerationLife {
  /** The generation. */
  readonly generation: Generation;
  /** Its calls, and who holds it. */
  readonly calls: GenerationCalls;
  /** Its hooks. */
  readonly hooks: GenerationHooks;
  /** How it is run. */
  readonly settings: ResolvedPluginSettings;
  /** The trusted keys that signed it. */
  readonly signers: readonly PublicKey[];
  /** What bounds a call that says nothing else. */
  readonly bounds: CallBounds;
  /** When it was loaded, in milliseconds since the epoch. */
  readonly loadedAt: number = Date.now();
  readonly #init: LifeInit;
  readonly #world: LifeWorld;
  #info: InfoFile | undefined;
  #state: GenerationState = "starting";
  #since = this.loadedAt;
  #gone: HotplugError | undefined;
  #supersededAt = 0;
  #crashes = 0;
  #forced = false;
  #revived = false;
  #drainEnded = false;
  #drained = Promise.withResolvers<boolean>();
  #parking: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Makes a generation that is not active yet. */
  constructor(init: LifeInit, world: LifeWorld) {
    const { instance, settings, parts: { name, scn }, info } = init;
    const label = `plugin "${name}" (SCN ${scn})`;
    this.#init = init;
    this.#world = world;
    this.#info = info;
    this.settings = settings;
    this.signers = init.signers;
    this.bounds = { deadline: settings.callDeadline, maxInFlight: settings.maxInFlight };
    this.calls = new GenerationCalls(instance, label, {
      empty: () => this.#left(),
      ended: () => world.called(this),
    });
    this.hooks = new GenerationHooks(instance, {
      name,
      scn,
      label,
      scope: init.scope,
      config: settings.config,
      deadlines: world.hookDeadlines,
      trouble: (error) => world.trouble(this, error),
    });
    this.generation = createGeneration(this.#source());
  }

  /** What it is doing. */
  get state(): GenerationState {
    return this.#state;
  }

  /** Since when it is in its state, in milliseconds since the epoch. */
  get since(): number {
    return this.#since;
  }

  /** How many bytes it holds, as far as its tier can tell. */
  get bytes(): number {
    return this.#init.instance.bytes;
  }

  /** How often its process or worker ended by itself. */
  get crashes(): number {
    return this.#crashes;
  }

  /** Since when it can be retired, in milliseconds since the epoch; undefined while it can't. */
  get parkedAt(): number | undefined {
    const left = this.calls.holds.size === 0 || this.#forced;
    return this.#state === "parked" && left ? this.#since : undefined;
  }

  /** Resolves when nobody holds it any more, to true, or when its time is over, to false. */
  get drained(): Promise<boolean> {
    // Somebody waits for it now.
    this.#timer?.ref();
    return this.#drained.promise;
  }

  /** Adds the info file that came after the load. */
  complete(info: InfoFile): void {
    this.#info ??= info;
  }

  /** Counts a crash of its process or worker. */
  crashed(): void {
    this.#crashes++;
    this.#world.called(this);
  }

  /** Calls a symbol; what the bounds leave open is as the settings say. */
  call(symbol: string, args: readonly unknown[], bounds: Partial<CallBounds>): Promise<unknown> {
    return this.calls.run(symbol, args, fillBounds(bounds, this.bounds));
  }

  /** Makes it the current one; a drain that was under way is off. */
  promote(): void {
    clearTimeout(this.#timer);
    this.#forced = false;
    // What waits for its drain from now on waits for the next one.
    if (this.#drainEnded) this.#drained = Promise.withResolvers();
    this.#drainEnded = false;
    this.#enter("current");
  }

  /** Makes it an old one: it is deactivated once nobody holds it, or its time is over. */
  supersede(): void {
    this.#supersededAt = performance.now();
    this.#enter("superseded");
    if (this.calls.holds.size === 0) return this.#park(false, !this.hooks.has("deactivate"));
    this.#timer = setTimeout(() => this.#park(true), this.settings.drainDeadline);
    // A lease that nobody ends is no reason for a program not to end; a call is waited for.
    if (this.calls.holds.list().every(({ kind }) => kind === "lease")) this.#timer.unref();
  }

  /** Resolves once a deactivation that is under way has ended. */
  async settled(): Promise<void> {
    await this.#parking;
  }

  /** Takes it from the parked ones, to be activated again; nothing retires it meanwhile. */
  revive(): void {
    this.#revived = true;
    this.#enter("starting");
  }

  /** Gives up what was to become the current one: what is new goes, what was parked is so again. */
  async abandon(reason: unknown): Promise<void> {
    await this.hooks.deactivate(reason);
    if (this.#revived) this.#enter("parked");
    else await this.retire();
  }

  /** Ends it: its memory comes back as far as its tier can. */
  async retire(): Promise<void> {
    if (this.#gone) return;
    const { name, scn } = this.#init.parts;
    this.#gone = new HotplugError(
      "retired",
      `Plugin "${name}" (SCN ${scn}) is gone: it was retired`,
    );
    await this.#end(this.#gone);
  }

  /** Ends it with its manager: it is deactivated first. */
  async close(): Promise<void> {
    if (this.#gone) return;
    const { name, scn } = this.#init.parts;
    const reason = this.#gone = new HotplugError(
      "closed",
      `Plugin "${name}" (SCN ${scn}) is gone: its manager is closed`,
    );
    this.#drained.resolve(this.calls.holds.size === 0);
    await this.#parking;
    await this.hooks.deactivate(reason);
    await this.#end(reason);
  }

  async #end(reason: HotplugError): Promise<void> {
    clearTimeout(this.#timer);
    this.#enter("retired");
    this.calls.cut(reason);
    await this.#init.instance.close(reason);
    await this.#init.discard();
  }

  /** Its last holder has left. */
  #left(): void {
    if (this.#state === "superseded") this.#park(false);
    else if (this.#state === "parked") this.#world.left(this);
  }

  #park(forced: boolean, idle = false): void {
    if (this.#gone) return;
    clearTimeout(this.#timer);
    this.#forced = forced;
    this.#enter("drained");
    const durationMs = performance.now() - this.#supersededAt;
    const reason = this.#timeOver();
    this.#drainEnded = true;
    this.#drained.resolve(!forced);
    // After whoever ends in good order at that, as the event streams of a gateway do.
    if (forced) setImmediate(() => !this.hooks.active && this.calls.cut(reason));
    this.#parking = this.hooks.deactivate(reason).then(() => {
      this.#parking = undefined;
      if (this.#state !== "drained" || this.#gone) return;
      this.#enter("parked");
      this.#world.parked(this, { idle, forced, durationMs });
    });
  }

  #timeOver(): HotplugError {
    const { name, scn } = this.#init.parts;
    return new HotplugError(
      "retired",
      `The time of plugin "${name}" (SCN ${scn}) is over: a newer one serves; begin again there`,
    );
  }

  #enter(state: GenerationState): void {
    this.#state = state;
    this.#since = Date.now();
  }

  #source(): GenerationSource {
    const { parts, path, sha256, instance, info } = this.#init;
    // deno-lint-ignore no-this-alias
    const life = this;
    return {
      ...{ parts, path, sha256 },
      permissions: info?.permissions ?? {},
      tier: instance.tier,
      symbols: instance.symbols,
      serves: instance.serves,
      get info() {
        return life.#info;
      },
      get state() {
        return life.#state;
      },
      get gone() {
        return life.#gone;
      },
      get leases() {
        return life.calls.holds.size;
      },
      isFunction: (symbol) => instance.isFunction(symbol),
      value: (symbol) => instance.value(symbol),
      call: (symbol, args) => life.call(symbol, args, {}),
    };
  }
}
