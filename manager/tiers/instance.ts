import type { Hook, HotplugError } from "../../artifact/mod.ts";
import type { FetchInfo, PinBody, PluginContext } from "../../plugin/mod.ts";
import type { Location } from "../artifacts/locate.ts";
import type { ResolvedManagerOptions } from "../settings/options.ts";
import type { Incident, PluginScope } from "../guards/plugin_scope.ts";
import type { ResolvedPluginSettings, Tier } from "../settings/plugin_settings.ts";
import type { PlacedModule } from "../artifacts/private_store.ts";
import type { ReadArtifact } from "../artifacts/read_artifact.ts";
import type { StackMapper } from "./stack_mapper.ts";

/** What bounds one call. */
export interface CallLimits {
  /** Ends the wait for the call's answer; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** How long the answer may take, in milliseconds; `Infinity` for as long as it takes. */
  readonly deadline: number;
}

/** How a request is answered. */
export interface FetchWay {
  /** Whether a plugin that runs in this isolate is kept from the caller's async context. */
  readonly detached: boolean;
  /** To be asked for where the body is a stream of ours. */
  readonly pin: PinBody;
}

/** One loaded module in its tier: how a generation reaches its code, wherever that runs. */
export interface Instance {
  /** Where it runs. */
  readonly tier: Tier;
  /** The names of its public exports, sorted; hooks are not among them. */
  readonly symbols: readonly string[];
  /** The hooks that it exports. */
  readonly hooks: ReadonlySet<Hook>;
  /**
   * Whether it can be called now: not so a process that has crashed and is not back yet.
   */
  readonly alive: boolean;
  /** How many bytes of memory it holds, as far as its tier can tell. */
  readonly bytes: number;
  /** Whether its default export answers requests. */
  readonly serves: boolean;
  /** Whether the symbol is a function. */
  isFunction(symbol: string): boolean;
  /**
   * The value of a symbol. Inline that is the export itself; in other tiers it is the copy that was
   * taken at the load, and undefined for a function.
   *
   * @throws {HotplugError} `clone` where there is no copy of it.
   */
  value(symbol: string): unknown;
  /** Calls a symbol that is a function. */
  call(symbol: string, args: readonly unknown[], limits: CallLimits): Promise<unknown>;
  /**
   * Lets its default export answer a request, with anything. An answer that is there at once is none to
   * wait for, and what is thrown at once is thrown: this is the way of every request.
   */
  fetch(
    request: Request,
    info: FetchInfo,
    limits: CallLimits,
    way: FetchWay,
  ): Response | Promise<Response>;
  /**
   * Calls a hook, where it exports it; `activate` is given the context, the others nothing. One that
   * has ended is started again to be activated, whether it exports `activate` or not.
   */
  hook(name: Hook, context?: PluginContext): Promise<unknown>;
  /** Told that a hook is past its deadline: what does not answer at all is ended, where it can be. */
  hookLate(): void;
  /** Told that it is inactive from now on: should it end, or have ended, it is not started again. */
  rest(): Promise<void>;
  /** Ends it and gives back what its tier can; calls under way reject with the reason where it can. */
  close(reason: HotplugError): Promise<void>;
}

/** What a tier starts an instance from. */
export interface InstanceRequest {
  /** Where the artifact was found. */
  readonly location: Location;
  /** The artifact, verified. */
  readonly artifact: ReadArtifact;
  /** The verified bytes in the private store. */
  readonly placed: PlacedModule;
  /** How the manager behaves. */
  readonly options: ResolvedManagerOptions;
  /** How this plugin is run. */
  readonly settings: ResolvedPluginSettings;
  /** Its code as the guards know it. */
  readonly scope: PluginScope;
  /** Maps its traces, where the runtime does not. */
  readonly mapper: StackMapper;
  /** Aborted when nobody waits for it any more; its reason is to be thrown. */
  readonly signal: AbortSignal;
  /** Told of what its code does later. */
  readonly incident: (incident: Incident) => void;
}

/** Starts an instance: the module's top level has ended when it resolves, no hook was called. */
export type StartInstance = (request: InstanceRequest) => Promise<Instance>;
