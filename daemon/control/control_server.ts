import { getLogger } from "@logtape/logtape";
import { HotplugError } from "../../artifact/mod.ts";
import { describeError } from "../../manager/describe_error.ts";
import { type ControlApp, controlApp } from "./control_app.ts";
import type { ControlDoor } from "./control_guard.ts";
import {
  type ControlOptions,
  resolveControlOptions,
  type ResolvedControlOptions,
} from "./control_options.ts";
import { type ControlPlace, isLive } from "./control_place.ts";
import { problemResponse } from "../control_problem.ts";
import { keepServing } from "../keep_serving.ts";
import { shutDown } from "../shut_down.ts";
import {
  type OpenSocket,
  openSocket,
  placeSocket,
  removeSocketPlace,
  type SocketPlace,
} from "./control_socket.ts";
import type { ControlTarget } from "./control_target.ts";
import { generatedToken } from "./control_token.ts";
import { EventHistory } from "./event_history.ts";
import { EventStreams } from "./event_stream.ts";
import { KeptPlace } from "./kept_place.ts";
import { KeptSocket } from "./kept_socket.ts";
import { Metrics } from "./metrics.ts";
import { RequestsUnderWay } from "./requests_under_way.ts";

/** How long requests under way may hold up a close, in milliseconds. */
const GRACE = 1_000;
/** How long it may take then to send them that they are given up, in milliseconds. */
const FLUSH = 250;

type Server = Deno.HttpServer<Deno.NetAddr> | Deno.HttpServer<Deno.UnixAddr>;

/**
 * Lets a daemon be driven and observed by http: on a unix socket that only its own user can reach, and
 * on TCP with a token.
 *
 * @example
 * ```ts
 * import { ControlServer, PluginDaemon } from "@hotplug/hotplug/daemon";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * await using daemon = new PluginDaemon({ watch: [directory] });
 * const token = crypto.randomUUID();
 * const tcp = { hostname: "127.0.0.1", port: 0 };
 * await using control = new ControlServer(daemon, { tcp, token });
 * const { url } = await control.start();
 * await daemon.start();
 *
 * const headers = { authorization: `Bearer ${token}` };
 * const response = await fetch(new URL("/v1/status", url), { headers });
 * assertEquals((await response.json()).ready, true);
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class ControlServer implements AsyncDisposable {
  readonly #options: ResolvedControlOptions;
  readonly #history: EventHistory;
  readonly #metrics: Metrics;
  readonly #app: ControlApp;
  readonly #watched: () => string[];
  readonly #servers = new Set<Server>();
  readonly #abort = new AbortController();
  /** Of what listens at the socket. */
  #socketAbort = new AbortController();
  readonly #requests = new RequestsUnderWay();
  #socket: SocketPlace | undefined;
  #open: OpenSocket<Server> | undefined;
  #kept: KeptSocket | undefined;
  #place: KeptPlace | undefined;
  #started: Promise<ControlPlace> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Makes a control that does not listen yet; it keeps the daemon's events from now on.
   *
   * @throws {HotplugError} `options` where one is out of its range, or there is no token for TCP.
   */
  constructor(daemon: ControlTarget, options: ControlOptions) {
    this.#options = resolveControlOptions(options);
    const { history, heartbeat, readers, allowInvoke, limits } = this.#options;
    this.#history = new EventHistory(daemon, { events: history });
    this.#metrics = new Metrics(daemon, options.gateway);
    this.#watched = () => daemon.status().watch.map(({ directory }) => directory);
    this.#app = controlApp({
      target: daemon,
      events: new EventStreams(this.#history, {
        epoch: Date.now().toString(36),
        heartbeat,
        readers,
      }),
      metrics: this.#metrics,
      allowInvoke,
      limits,
      failed: logFailure,
    });
  }

  /**
   * Begins to listen, once; resolves to where. One that could not is not tried again: make another.
   *
   * @throws {HotplugError} `listen` where that can't be done, `state` where the state folder can't be
   * used, `closed` after {@linkcode close}.
   */
  start(): Promise<ControlPlace> {
    return this.#started ??= this.#start();
  }

  /**
   * Lets streams of events end with what was told so far, and requests under way for a second; those that
   * are not answered then are answered with 503. Nothing listens any more after that. A second call
   * changes nothing.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<ControlPlace> {
    if (this.#closed) throw new HotplugError("closed", "The control is closed");
    const { state, tcp } = this.#options;
    const url = tcp && await this.#listenTcp(tcp);
    const socket = state === undefined || Deno.build.os === "windows"
      ? undefined
      : await this.#listenUnix(state);
    const listens = { ...(socket && { socket }), ...(url && { url }) };
    const place = { ...listens, pid: Deno.pid, watch: this.#watched() };
    if (state !== undefined) await (this.#place = new KeptPlace(state)).write(place);
    return place;
  }

  async #listenTcp({ hostname, port }: { hostname: string; port: number }): Promise<string> {
    const { state, token: given } = this.#options;
    // There is a state folder where there is no token: the options were checked.
    const token = given ?? await generatedToken(state ?? "");
    const door: ControlDoor = { token, hostname };
    const serve = (port: number): Promise<Deno.HttpServer<Deno.NetAddr>> =>
      listening(
        `${hostname}:${port}`,
        (listened) => Deno.serve({ ...this.#common(listened), hostname, port }, this.#at(door)),
      );
    const server = await serve(port);
    const { addr } = server;
    this.#keep(server, () => serve(addr.port));
    const host = addr.hostname.includes(":") ? `[${addr.hostname}]` : addr.hostname;
    return `http://${host}:${addr.port}/`;
  }

  async #listenUnix(state: string): Promise<string> {
    const place = this.#socket = await placeSocket(state);
    const door: ControlDoor = { token: undefined, hostname: undefined };
    const serve = async (): Promise<Server> => {
      // Its folder may be gone since.
      this.#open = await openSocket(await placeSocket(state), (path) =>
        listening(
          place.path,
          (listened) =>
            Deno.serve({ ...this.#common(listened, this.#socketAbort), path }, this.#at(door)),
        ));
      return this.#open.server;
    };
    // Where the next one listens already, one whose socket was removed is not wanted again.
    const serveIfGone = async () =>
      await isLive({ socket: place.path }) ? undefined : await serve();
    const again = async () => {
      const [gone, abort] = [this.#open?.server, this.#socketAbort];
      // What is under way at the one that ends below can not be broken off any more: see `#close`.
      if (gone) this.#socketAbort = new AbortController();
      try {
        this.#keep(await serve(), serveIfGone);
      } catch (error) {
        this.#socketAbort = abort;
        throw error;
      }
      if (!gone) return;
      // Nobody finds it any more; who is connected goes on.
      this.#servers.delete(gone);
      void shutDown(gone);
    };
    await again();
    this.#kept = new KeptSocket({ path: place.path, state, again });
    return place.path;
  }

  #keep(first: Server, serve: () => Promise<Server | undefined>): void {
    let server = first;
    this.#servers.add(server);
    keepServing(first, {
      again: async () => {
        this.#servers.delete(server);
        if (this.#closed) return undefined;
        const next = await serve();
        if (!next) return undefined;
        this.#servers.add(server = next);
        if (this.#closed) await shutDown(server);
        return server;
      },
      ended: logEnd,
    });
  }

  /** The handler of what comes by a door. */
  #at(door: ControlDoor): Deno.ServeHandler {
    return (request, { completed }) => this.#answer(request, door, completed);
  }

  #answer(
    request: Request,
    door: ControlDoor,
    completed: Promise<void>,
  ): Response | Promise<Response> {
    if (this.#closed) return closing();
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    this.#requests.add(completed, () => resolve(closing()));
    this.#app(request, door).then(resolve, reject);
    return promise;
  }

  #common(onListen: () => void, { signal } = this.#abort) {
    return { signal, onListen, onError: problemResponse };
  }

  async #close(): Promise<void> {
    await this.#started?.catch(() => {}); // whoever started it was told
    await this.#kept?.[Symbol.asyncDispose]();
    this.#history[Symbol.dispose]();
    let idle = await this.#requests.settled(GRACE);
    if (!idle) {
      this.#requests.giveUp();
      idle = await this.#requests.settled(FLUSH);
    }
    // One or the other: what is under way after `shutdown` can't be broken off any more (Deno 2.9.5: the
    // signal's abort then throws, where nobody can catch it), and an abort breaks off what is still to be
    // sent of what was answered.
    if (!idle) { for (const each of [this.#abort, this.#socketAbort]) each.abort(); }
    await Promise.all(
      [...this.#servers].map((server) => idle ? shutDown(server) : server.finished.catch(() => {})),
    );
    this.#metrics[Symbol.dispose]();
    await this.#open?.remove();
    if (this.#socket) await removeSocketPlace(this.#socket);
    await this.#place?.[Symbol.asyncDispose]();
  }
}

function closing(): Response {
  return problemResponse(new HotplugError("closed", "The control is being closed"));
}

/** Starts a server, and waits until it listens. */
async function listening<S extends Server>(
  where: string,
  start: (listened: () => void) => S,
): Promise<S> {
  const { promise, resolve } = Promise.withResolvers<void>();
  try {
    const server = start(resolve);
    await Promise.race([promise, server.finished]);
    return server;
  } catch (cause) {
    throw new HotplugError(
      "listen",
      `Cannot listen on ${where}: ${describeError(cause)}; choose another address, or end what ` +
        "listens there",
      { cause },
    );
  }
}

function logEnd(error: unknown): void {
  const text = "No more requests were accepted; it listens again: {error}";
  getLogger(["hotplug", "control"]).error(text, { error });
}

function logFailure(error: unknown): void {
  getLogger(["hotplug", "control"]).error("A request failed: {error}", { error });
}
