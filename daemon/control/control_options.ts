import { resolve } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { range } from "../../manager/settings/range.ts";
import type { BodyLimits } from "./control_body.ts";
import type { Gateway } from "../gateway/gateway.ts";

/** How a {@linkcode ControlServer} can be reached, and what it allows. */
export interface ControlOptions {
  /**
   * The folder where it is found: it has a unix socket `control.sock` in there, a token is generated
   * into it, and a file in it says where it listens. It must be private, as a daemon's state folder is.
   */
  readonly state?: string;
  /** Listens on TCP as well, with a token: an address and a port, 0 for any that is free. */
  readonly tcp?: { readonly hostname: string; readonly port: number };
  /**
   * What requests on TCP must bring along: 16 characters or more, without spaces.
   *
   * @default one that is generated into `state`, and stays the same there
   */
  readonly token?: string;
  /**
   * Whether symbols may be called: whoever controls the daemon can then run what its plugins export.
   *
   * @default {false}
   */
  readonly allowInvoke?: boolean;
  /** The gateway that serves the daemon's plugins, for the metrics. */
  readonly gateway?: Pick<Gateway, "counts" | "streams">;
  /**
   * How many events are kept for whoever comes late.
   *
   * @default {1000}
   */
  readonly history?: number;
  /**
   * How many may read events at a time.
   *
   * @default {64}
   */
  readonly readers?: number;
  /**
   * Time between two signs of life in a stream of events, in milliseconds.
   *
   * @default {15000}
   */
  readonly heartbeat?: number;
  /**
   * The most bytes of a request's body.
   *
   * @default {1048576}
   */
  readonly bodyBytes?: number;
  /**
   * How long a request's body may take to come, in milliseconds.
   *
   * @default {10000}
   */
  readonly bodyTime?: number;
}

/** {@linkcode ControlOptions} with every gap filled. */
export interface ResolvedControlOptions {
  /** The folder, absolute. */
  readonly state: string | undefined;
  /** Where it listens besides. */
  readonly tcp: ControlOptions["tcp"];
  /** The token; undefined where it is to be generated, or none is needed. */
  readonly token: string | undefined;
  /** Whether symbols may be called. */
  readonly allowInvoke: boolean;
  /** How many events are kept. */
  readonly history: number;
  /** How many may read events. */
  readonly readers: number;
  /** Time between two signs of life, in milliseconds. */
  readonly heartbeat: number;
  /** How much a request may take. */
  readonly limits: BodyLimits;
}

const MIN_TOKEN = 16;
const MAX_TIME = 2 ** 31 - 1;

/** Fills the gaps and checks the ranges; throws a {@linkcode HotplugError} of code `options`. */
export function resolveControlOptions(options: ControlOptions): ResolvedControlOptions {
  const { state, tcp, token } = options;
  if (state === undefined && tcp === undefined) {
    throw new HotplugError("options", `Nowhere to listen: give option "state" or "tcp"`);
  }
  if (tcp && token === undefined && state === undefined) {
    throw new HotplugError(
      "options",
      "On TCP a token is always asked for, and there is no state folder to generate one into: " +
        "give one (--token-file)",
    );
  }
  if (token !== undefined) checkToken(token);
  return {
    state: state === undefined ? undefined : resolve(state),
    tcp: tcp && {
      hostname: tcp.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: range("port", tcp.port, 0, 65_535),
    },
    token,
    allowInvoke: options.allowInvoke ?? false,
    history: range("history", options.history ?? 1_000, 1, 1_000_000),
    readers: range("readers", options.readers ?? 64, 1, 100_000),
    heartbeat: range("heartbeat", options.heartbeat ?? 15_000, 10, MAX_TIME),
    limits: {
      bytes: range("bodyBytes", options.bodyBytes ?? 2 ** 20, 1, 2 ** 31),
      milliseconds: range("bodyTime", options.bodyTime ?? 10_000, 1, MAX_TIME),
    },
  };
}

function checkToken(token: string): void {
  if (token.length >= MIN_TOKEN && /^[\x21-\x7e]+$/.test(token)) return;
  throw new HotplugError(
    "options",
    `The token must have ${MIN_TOKEN} characters or more, without spaces`,
  );
}
