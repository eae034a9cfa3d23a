import { assert } from "@std/assert";
import { EventSourceParserStream } from "eventsource-parser/stream";
import {
  type ControlOptions,
  type ControlPlace,
  ControlServer,
  type DaemonOptions,
} from "../daemon/mod.ts";
import { type DaemonFixture, makeDaemon } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

/** What is asked for. */
export interface AskInit {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Headers besides. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether over TCP, without a token, in the place of the unix socket. @default {false} */
  readonly tcp?: boolean;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** A control of a daemon on a folder of its own. */
export interface ControlFixture extends AsyncDisposable {
  /** The daemon. */
  readonly fixture: DaemonFixture;
  /** The control; it listens. */
  readonly control: ControlServer;
  /** Where it does. */
  readonly place: ControlPlace;
  /** The path of the watched folder. */
  readonly plugins: string;
  /** The path of the state folder. */
  readonly state: string;
  /** Asks for something. */
  ask(method: string, path: string, init?: AskInit): Promise<Response>;
  /** Asks for something that can't fail, and reads its JSON. */
  json(method: string, path: string, body?: unknown): Promise<unknown>;
}

/** Starts a daemon and its control, on a unix socket and on TCP. */
export async function startControl(
  options: Partial<ControlOptions> = {},
  daemonOptions: Partial<DaemonOptions> = {},
  prepare: (state: string, plugins: string) => Promise<void> = () => Promise.resolve(),
): Promise<ControlFixture> {
  const directory = await tempDirectory();
  const [plugins, state] = [directory.file("plugins"), directory.file("state")];
  await Deno.mkdir(plugins);
  await prepare(state, plugins);
  const fixture = makeDaemon([plugins], { state, ...daemonOptions });
  await fixture.daemon.open();
  const tcp = { hostname: "127.0.0.1", port: 0 };
  const control = new ControlServer(fixture.daemon, { state, tcp, ...options });
  const place = await control.start();
  await fixture.daemon.start();
  const client = unixClient(place);
  const ask: ControlFixture["ask"] = (method, path, init = {}) => {
    const { body, headers = {}, tcp = false, signal } = init;
    const { origin } = new URL(tcp ? place.url ?? "" : "http://localhost/");
    return fetch(`${origin}${path}`, {
      method,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
      ...(!tcp && { client }),
    });
  };
  return {
    fixture,
    control,
    place,
    plugins,
    state,
    ask,
    async json(method, path, body) {
      const response = await ask(method, path, body === undefined ? {} : { body });
      const value = await response.json();
      assert(response.ok, `${method} ${path}: ${JSON.stringify(value)}`);
      return value;
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await fixture[Symbol.asyncDispose]();
      await control.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** A client that speaks to the place's unix socket; to be closed. */
export function unixClient({ socket }: Pick<ControlPlace, "socket">): Deno.HttpClient {
  assert(socket !== undefined);
  return Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
}

/** A server-sent event, as it came. */
export interface SentEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A stream of events that is being read. */
export interface EventReader extends AsyncDisposable {
  /** The next one; undefined at the end. */
  next(): Promise<SentEvent | undefined>;
  /** All to the end. */
  rest(): Promise<SentEvent[]>;
}

/** Reads an answer's server-sent events. */
export function readEvents({ body }: Response): EventReader {
  assert(body);
  const reader = body.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream()).getReader();
  const next = async (): Promise<SentEvent | undefined> => {
    const { value } = await reader.read();
    return value && { id: value.id ?? "", type: value.event ?? "", data: JSON.parse(value.data) };
  };
  return {
    next,
    async rest() {
      const all: SentEvent[] = [];
      for (let each = await next(); each; each = await next()) all.push(each);
      return all;
    },
    [Symbol.asyncDispose]: () => reader.cancel(),
  };
}

/** Sends bytes to where the control listens, and reads what comes back until the end. */
export async function rawRequest(
  target: Deno.ConnectOptions | Deno.UnixConnectOptions,
  text: string,
): Promise<string> {
  using connection = await connect(target);
  await connection.write(new TextEncoder().encode(text));
  let answer = "";
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(4096);
  for (let n = await connection.read(chunk); n !== null; n = await connection.read(chunk)) {
    answer += decoder.decode(chunk.subarray(0, n), { stream: true });
  }
  return answer;
}

/** Connects to where a control listens. */
export async function connect(
  target: Deno.ConnectOptions | Deno.UnixConnectOptions,
): Promise<Deno.Conn> {
  return "path" in target ? await Deno.connect(target) : await Deno.connect(target);
}

/** The TCP address of a place. */
export function tcpOf({ url }: ControlPlace): Deno.ConnectOptions {
  return { hostname: "127.0.0.1", port: Number(new URL(url ?? "").port) };
}
