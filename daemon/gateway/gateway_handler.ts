import { HotplugError, type Scn } from "../../artifact/mod.ts";
import type { FetchInfo, Lease, PluginManager } from "../../manager/mod.ts";
import { isUnusable, OwnResponse, responseAnew } from "../../plugin/mod.ts";
import type { GatewayCounts } from "./gateway_counts.ts";
import type { GatewayCuts } from "./gateway_cuts.ts";
import type { GatewayLog } from "./gateway_log.ts";
import { closing, failedPlugin, noPlugin, notLoaded, onlyInline } from "./gateway_problem.ts";
import { router } from "./gateway_route.ts";
import type { GatewayTraffic } from "./gateway_traffic.ts";
import { followSocket, GOING_AWAY, upgradeOf } from "./gateway_sockets.ts";
import { endable } from "./gateway_stream.ts";
import { type Finish, inItsTurn } from "./in_its_turn.ts";
import { areHeadersRead, hostOf } from "./request_headers.ts";

/** What a gateway serves from: a daemon. */
export interface GatewayTarget {
  /** What has the plugins loaded. */
  readonly manager: Pick<PluginManager, "acquire" | "gate" | "drained">;
  /** Whether there is something of that name, loaded or not. */
  knows(name: string): boolean;
}

/** What the handler of a gateway is made of. */
export interface HandlerWorld {
  /** What is served from. */
  readonly target: GatewayTarget;
  /** What ends with its generation. */
  readonly cuts: GatewayCuts;
  /** What is under way. */
  readonly traffic: GatewayTraffic;
  /** What was answered. */
  readonly counts: GatewayCounts;
  /** Told of failures. */
  readonly log: GatewayLog;
}

/** What a gateway gets beside a request, of `Deno.serve`. */
export interface ServeInfo extends FetchInfo {
  /** Settles when the answer was sent, or can't be. */
  readonly completed: Promise<void>;
}

/** Answers a request. */
export type GatewayHandler = (request: Request, info: ServeInfo) => Answer;

type Answer = Response | Promise<Response>;
/** An answer that is there, or one that comes later and is finished as it is about to be sent. */
type Served = Response | Promise<Finish>;
type Asked = [name: string, request: Request, info: ServeInfo];

/** Which generation has answered. */
const SCN_HEADER = "x-hotplug-scn";
/** Nothing of a host's comes between a request and its plugin. */
const HOLDER = { label: "gateway", detached: true };
/** How a WebSocket is closed whose plugin has failed. */
const FAILED = 1011;
const NOT_ASKED = "its `fetch` answered 101 to a request that asked for no upgrade";
const READ = "its `fetch` answered with a Response whose body was read before it could be sent";
const NOT_UPGRADED =
  "its `fetch` made a WebSocket of the request, and answered with something else";
/** As one of those that are offered. */
const WEBSOCKET = /(?:^|,)\s*websocket\s*(?:,|$)/i;
/** What may last for good; types are of either case. */
const EVENT_STREAM = /^text\/event-stream/i;

/**
 * Makes the function from a request to a plugin's answer. It waits for nothing that is there: promises
 * would cost more than all the rest of it.
 */
export function gatewayHandler(world: HandlerWorld): GatewayHandler {
  const { counts, target, traffic } = world;
  const count = (name: string, response: Response): Response => {
    counts.add(name, response.status);
    return response;
  };
  const serve = (name: string, request: Request, info: ServeInfo, late = false): Served => {
    const lease = acquire(target, name);
    if (lease instanceof OwnResponse) return count("", lease);
    traffic.enter();
    const served = answer(world, lease, request, info, late);
    if (served instanceof OwnResponse) return count(name, served);
    return served.then((finish) => () => count(name, finish()));
  };
  /** Under way from now on: a gateway that is closed meanwhile has to wait for it. */
  const serveLate = async (gate: Promise<void>, ...asked: Asked): Promise<Finish> => {
    traffic.enter();
    try {
      await gate;
      const served = await serve(...asked, true);
      return served instanceof OwnResponse ? () => served : served;
    } finally {
      traffic.leave();
    }
  };
  const routeOf = router();
  return (request, info) => {
    if (traffic.stopped) return count("", closing());
    const name = routeOf(request.url, hostOf(request));
    if (typeof name !== "string") return count("", name);
    const gate = target.manager.gate(name);
    const served = gate ? serveLate(gate, name, request, info) : serve(name, request, info);
    return served instanceof OwnResponse ? served : inItsTurn(served);
  };
}

function acquire(target: GatewayTarget, name: string): Lease | Response {
  try {
    return target.manager.acquire(name, HOLDER);
  } catch (error) {
    if (!(error instanceof HotplugError)) throw error;
    if (error.code !== "not-found") return failedPlugin(name, error);
    return target.knows(name) ? notLoaded(name) : noPlugin();
  }
}

/** Late is a request that had to wait for a swap. */
function answer(
  world: HandlerWorld,
  lease: Lease,
  request: Request,
  info: ServeInfo,
  late: boolean,
): Served {
  if (lease.generation.tier !== "inline" && isInlineOnly(request)) {
    return endWith(world, lease, info, onlyInline(lease.name));
  }
  let response: Answer;
  try {
    response = lease.fetch(request, info);
  } catch (error) {
    return failed(world, lease, request, info, error);
  }
  if (response instanceof OwnResponse && !late && !areHeadersRead(request)) {
    return keep(world, lease, request, info, response);
  }
  return Promise.resolve(response).then(
    (each) => () => keepLate(world, lease, request, info, each),
    (error) => () => failed(world, lease, request, info, error),
  );
}

/**
 * What takes over the connection, or is a request that only its server can make. Another upgrade than to a
 * WebSocket is an offer, as `h2c` of Java's and curl's: who does not take it answers as ever.
 */
function isInlineOnly({ method, headers }: Request): boolean {
  return WEBSOCKET.test(headers.get("upgrade") ?? "") || method === "CONNECT" ||
    method === "TRACE" ||
    method === "TRACK";
}

function failed(
  world: HandlerWorld,
  lease: Lease,
  request: Request,
  info: ServeInfo,
  error: unknown,
): Response {
  const told = failedPlugin(lease.name, error);
  if (told.status >= 500) world.log.failed(lease.name, error);
  const upgrade = upgradeOf(request);
  if (upgrade) return keepSocket(world, lease, upgrade, info, FAILED);
  return endWith(world, lease, info, stamp(told, lease.scn));
}

/** Refuses here what was read meanwhile: `Deno.serve` rejects it where nobody can catch that. */
function keepLate(...kept: Parameters<typeof keep>): Response {
  const [world, lease, request, info, answered] = kept;
  if (!isUnusable(answered)) return keep(...kept);
  return failed(world, lease, request, info, new TypeError(READ));
}

/** Keeps the lease for as long as the answer takes. */
function keep(
  world: HandlerWorld,
  lease: Lease,
  request: Request,
  info: ServeInfo,
  answered: Response,
): Response {
  try {
    // Asked of it while it has one header less.
    const streams = EVENT_STREAM.test(answered.headers.get("content-type") ?? "");
    const upgrade = upgradeOf(request);
    if (upgrade) {
      if (answered.status !== 101) throw new TypeError(NOT_UPGRADED);
      return keepSocket(world, lease, upgrade, info);
    }
    if (answered.status === 101 && !request.headers.has("upgrade")) throw new TypeError(NOT_ASKED);
    const response = stamp(answered, lease.scn);
    if (!streams) return endWith(world, lease, info, response);
    const { response: stream, end } = endable(response);
    const forget = world.cuts.add(lease.generation, end);
    info.completed.then(forget, forget);
    return endWith(world, lease, info, stream);
  } catch (error) {
    // Its body is somebody's already, or its connection a WebSocket's, or to be one's.
    return failed(world, lease, request, info, error);
  }
}

/**
 * Answers with the upgrade, whatever the plugin did since: with another answer `Deno.serve` would end
 * itself. One that the plugin failed at is closed as soon as it is open.
 */
function keepSocket(
  { cuts, traffic }: HandlerWorld,
  lease: Lease,
  { socket, response }: Deno.WebSocketUpgrade,
  { completed }: ServeInfo,
  failure?: number,
): Response {
  const close = followSocket(socket, completed, () => {
    forget();
    end(traffic, lease);
  });
  const forget = cuts.add(lease.generation, () => close(GOING_AWAY, "ask again"));
  if (failure !== undefined) close(failure);
  return stamp(response, lease.scn);
}

/** The lease ends with the answer, whichever way that ends. */
function endWith(
  { traffic }: HandlerWorld,
  lease: Lease,
  { completed }: ServeInfo,
  response: Response,
): Response {
  const ended = (): void => end(traffic, lease);
  completed.then(ended, ended);
  return response;
}

function end(traffic: GatewayTraffic, lease: Lease): void {
  lease[Symbol.dispose]();
  traffic.leave();
}

/** Says which generation it was; what a plugin has fetched itself takes no header, and is made anew. */
function stamp(response: Response, scn: Scn): Response {
  try {
    response.headers.set(SCN_HEADER, String(scn));
    return response;
  } catch {
    const own = responseAnew(response);
    own.headers.set(SCN_HEADER, String(scn));
    return own;
  }
}
