import { tmpdir } from "node:os";
import { resolve } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { cacheFolder } from "../toolchain/cache_folder.ts";
import { checkEnv } from "../child_env.ts";
import type { BuildServiceEvent } from "./service_event.ts";
import { expandHome } from "../sources/source_location.ts";

/** How a build service listens, and how much it takes on. */
export interface BuildServiceOptions {
  /**
   * The port; 0 is any that is free.
   *
   * @default {8089}
   */
  readonly port?: number;
  /**
   * The address to listen on. Any but the machine's own (`127.0.0.1`, `::1`, `localhost`) needs a
   * token.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string;
  /** What a request must bring along: 16 characters or more, without spaces. */
  readonly token?: string;
  /**
   * How many builds run side by side.
   *
   * @default the number of cores
   */
  readonly builds?: number;
  /**
   * How many builds may wait beside those that run; past it the answer is 429.
   *
   * @default {16}
   */
  readonly queue?: number;
  /**
   * The most bytes of a request.
   *
   * @default {67_108_864}
   */
  readonly bodyBytes?: number;
  /**
   * How long a build may take from its first byte to its last, waiting included, in milliseconds.
   *
   * @default {600_000}
   */
  readonly timeLimit?: number;
  /**
   * How long `close` lets builds go on that are under way, in milliseconds.
   *
   * @default {10_000}
   */
  readonly drainTime?: number;
  /**
   * The directory for what builds fetch: packages, other Denos, bases of executables. It is not the
   * one that this user's own programs use.
   *
   * @default `hotplug/service` in the user's cache folder
   */
  readonly cacheDir?: string;
  /**
   * The directory for the private folders of builds: each is gone when its build is.
   *
   * @default the system's temporary folder
   */
  readonly workDir?: string;
  /** Where the bases of executables come from; see `denortMirror` of a build. */
  readonly denortMirror?: string;
  /**
   * Variables for the builds, beyond those of proxies and certificates: `NPM_CONFIG_REGISTRY` for
   * example.
   *
   * @default {{}}
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Told of each build and each request that was refused. */
  readonly onEvent?: (event: BuildServiceEvent) => void;
}

/** Options, checked and filled. */
export type ServiceConfig = Readonly<
  Required<Omit<BuildServiceOptions, "token" | "denortMirror">> & {
    readonly token: string | undefined;
    readonly denortMirror: string | undefined;
  }
>;

const MIN_TOKEN = 16;
const MAX_TIMER = 2 ** 31 - 1;
const LOOPBACK: readonly string[] = ["127.0.0.1", "::1", "[::1]", "localhost"];

/** Whether only this machine itself reaches an address. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.includes(hostname.toLowerCase());
}

/**
 * Checks options and fills what is missing.
 *
 * @throws {HotplugError} With code `options`, naming the one that is out of its range.
 */
export function resolveServiceOptions(options: BuildServiceOptions): ServiceConfig {
  const { hostname = "127.0.0.1", token, denortMirror, onEvent = () => {} } = options;
  if (token !== undefined && !(token.length >= MIN_TOKEN && /^[\x21-\x7e]+$/.test(token))) {
    throw refusal(`the token needs ${MIN_TOKEN} characters of ASCII or more, without spaces`);
  }
  if (!isLoopback(hostname) && token === undefined) {
    throw refusal(
      `${JSON.stringify(hostname)} is reached from other machines, and who reaches it makes this ` +
        `one work: set a token, or listen on 127.0.0.1`,
    );
  }
  const cores = Math.max(1, navigator.hardwareConcurrency);
  return {
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    token,
    port: whole("port", options.port ?? 8089, 0, 65_535),
    builds: whole("builds", options.builds ?? cores, 1, 1024),
    queue: whole("queue", options.queue ?? 16, 0, 10_000),
    bodyBytes: whole("bodyBytes", options.bodyBytes ?? 64 * 1024 * 1024, 1, 2 ** 31),
    timeLimit: whole("timeLimit", options.timeLimit ?? 600_000, 1, MAX_TIMER),
    drainTime: whole("drainTime", options.drainTime ?? 10_000, 0, MAX_TIMER),
    cacheDir: resolve(expandHome(options.cacheDir ?? `${cacheFolder()}/service`)),
    workDir: resolve(expandHome(options.workDir ?? tmpdir())),
    denortMirror,
    env: checkEnv(options.env ?? {}),
    onEvent,
  };
}

function whole(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw refusal(`${option} takes a whole number from ${least} to ${most}, got ${value}`);
}

function refusal(why: string): HotplugError {
  return new HotplugError("options", `Cannot serve builds: ${why}`);
}
