import { HotplugError } from "../../artifact/mod.ts";
import { isAskersFault } from "../../manager/askers_fault.ts";
import { describeError } from "../../manager/describe_error.ts";
import { range } from "../../manager/settings/range.ts";
import { keepServing } from "../keep_serving.ts";
import { shutDown } from "../shut_down.ts";
import { type GatewayCount, GatewayCounts } from "./gateway_counts.ts";
import { GatewayCuts } from "./gateway_cuts.ts";
import { type GatewayHandler, gatewayHandler, type GatewayTarget } from "./gateway_handler.ts";
import { GatewayLog } from "./gateway_log.ts";
import { badAnswer, brokenRequest } from "./gateway_problem.ts";
import { noteSockets } from "./gateway_sockets.ts";
import { GatewayTraffic } from "./gateway_traffic.ts";

/** Where a {@linkcode Gateway} listens. */
export interface GatewayOptions {
  /**
   * The address.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string;
  /**
   * The port; 0 is any that is free.
   *
   * @default {0}
   */
  readonly port?: number;
}

/**
 * Serves plugins by HTTP: what exports `default { fetch(request) }`, as for `deno serve`, answers at
 * `/NAME/…`.
 *
 * A request stays on the generation it began on, to the end of its answer; the header `x-hotplug-scn`
 * says which. What may last for good, event streams and WebSockets, is ended when the drain deadline
 * of a superseded generation is over. WebSockets are served inline only.
 *
 * Made before the plugins are loaded, it sees the WebSockets of those, too, that keep
 * `Deno.upgradeWebSocket` for themselves.
 *
 * @example
 * ```ts
 * import { Gateway, PluginDaemon } from "@hotplug/hotplug/daemon";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * const file = `${directory}/greeter_20261123014512_2_9_5_any_any.mjs`;
 * await Deno.writeTextFile(
 *   file,
 *   "export default { fetch: (request) => new Response(`Hello from ${request.url}`) };",
 * );
 *
 * await using daemon = new PluginDaemon({ watch: [directory], bareSettle: 0 });
 * await using gateway = new Gateway(daemon);
 * const url = await gateway.start();
 * await daemon.start();
 * const response = await fetch(`${url}greeter/Ada`);
 * assertEquals(await response.text(), `Hello from ${url}greeter/Ada`);
 * assertEquals(response.headers.get("x-hotplug-scn"), "20261123014512");
 *
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class Gateway implements AsyncDisposable {
  readonly #options: Required<GatewayOptions>;
  readonly #cuts: GatewayCuts;
  readonly #counts = new GatewayCounts();
  readonly #traffic = new GatewayTraffic();
  readonly #log = new GatewayLog();
  readonly #handler: GatewayHandler;
  readonly #noting = noteSockets();
  readonly #ending = new AbortController();
  #server: Deno.HttpServer | undefined;
  #started: Promise<URL> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Makes a gateway that does not listen yet.
   *
   * @throws {HotplugError} `options` for what is no port.
   */
  constructor(target: GatewayTarget, { hostname = "127.0.0.1", port = 0 }: GatewayOptions = {}) {
    this.#options = {
      hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: range("port", port, 0, 65_535),
    };
    this.#cuts = new GatewayCuts(target.manager);
    this.#handler = gatewayHandler({
      target,
      cuts: this.#cuts,
      counts: this.#counts,
      traffic: this.#traffic,
      log: this.#log,
    });
  }

  /**
   * Begins to listen, once; resolves to where. One that could not is not tried again: make another.
   *
   * @throws {HotplugError} `listen` where the address is taken or none of this machine, `closed` where
   * the gateway is.
   */
  start(): Promise<URL> {
    return this.#started ??= this.#start();
  }

  /** What it has answered so far. */
  counts(): GatewayCount[] {
    return this.#counts.list();
  }

  /** How many event streams and WebSockets are open. */
  get streams(): number {
    return this.#cuts.size;
  }

  /**
   * Answers more requests with 503, ends event streams and WebSockets, waits for the other answers for
   * as long as it may (`drain`, in milliseconds, 0 by default), and breaks off what is left. A second
   * call changes nothing.
   */
  close({ drain = 0 }: { readonly drain?: number } = {}): Promise<void> {
    return this.#closed ??= this.#close(drain);
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // deno-lint-ignore require-await -- what it throws at once is a rejection, too
  async #start(): Promise<URL> {
    if (this.#closed) throw new HotplugError("closed", "The gateway is closed");
    const { hostname, port } = this.#options;
    let server: Deno.HttpServer<Deno.NetAddr>;
    try {
      server = this.#serve(port);
    } catch (cause) {
      throw new HotplugError(
        "listen",
        `Cannot listen on ${hostname}:${port}: ${
          describeError(cause)
        }; choose another port, or end ` +
          "what listens there",
        { cause },
      );
    }
    const { addr } = server;
    keepServing(server, {
      // Where it was, though any port would have done at first.
      again: () => this.#closed ? undefined : this.#serve(addr.port),
      ended: (error) => this.#log.ended(error),
    });
    const host = addr.hostname.includes(":") ? `[${addr.hostname}]` : addr.hostname;
    return new URL(`http://${host}:${addr.port}/`);
  }

  #serve(port: number): Deno.HttpServer<Deno.NetAddr> {
    return this.#server = Deno.serve({
      hostname: this.#options.hostname,
      port,
      signal: this.#ending.signal,
      onListen: () => {},
      onError: (error) => {
        // It was answered with its own body, as an echo does.
        if (isAskersFault(error)) return brokenRequest();
        this.#log.unsendable(error);
        return badAnswer();
      },
    }, this.#handler);
  }

  async #close(drain: number): Promise<void> {
    const server = this.#server;
    const stopping = this.#traffic.stop(server ? drain : 0);
    this.#cuts.cutAll();
    const idle = await stopping;
    // One or the other: a server that shuts down can't be broken off any more.
    if (server && idle) await shutDown(server);
    else this.#ending.abort();
    if (!idle) await server?.finished.catch(() => {}); // told by then
    this.#noting[Symbol.dispose]();
    this.#log[Symbol.dispose]();
  }
}
