/** The versions of the call protocol that this code speaks, the best first. */
export const PROTOCOL_VERSIONS: readonly number[] = [1];

/** What makes an executable a host of its plugin: its first argument. */
export const HOST_ARGUMENT = "--hotplug-host";

/** The largest frame, in bytes (64 MiB): what is larger ends the process. */
export const FRAME_LIMIT: number = 64 * 1024 * 1024;

/** What a frame holds. */
export const FrameKind = {
  /** The handshake: JSON. */
  hello: 0,
  /** A message of the calls. */
  message: 1,
  /** A log record: JSON. */
  log: 2,
} as const;

/** One of {@linkcode FrameKind}. */
export type FrameKind = typeof FrameKind[keyof typeof FrameKind];

/** What opens the conversation: from the host to the child that it has started. */
export interface HostHello {
  /** A random text, in hex; the child says it back, and frames begin with its first 4 bytes. */
  readonly cookie: string;
  /** The versions of the protocol that the host speaks, the best first. */
  readonly versions: readonly number[];
  /** The plugin's name, for the child's log. */
  readonly name: string;
}

/** The child's answer. */
export interface ChildHello {
  /** That of the host. */
  readonly cookie: string;
  /** The version that both speak; undefined if there is none. */
  readonly version: number | undefined;
  /** The versions that the child speaks. */
  readonly versions: readonly number[];
  /** The version of Deno that the child runs on. */
  readonly deno: string;
}

/** The best version that both lists have; undefined if they have none in common. */
export function negotiate(
  ours: readonly number[],
  theirs: readonly number[],
): number | undefined {
  const common = ours.filter((each) => theirs.includes(each));
  return common.length > 0 ? Math.max(...common) : undefined;
}

/** Where a record comes from. */
export type LogSource = "logger" | "console" | "stdout" | "stderr";

/** How much a record matters. */
export type LogLevel = "trace" | "debug" | "info" | "warning" | "error" | "fatal";

/** What a plugin has logged or printed. */
export interface LogRecord {
  /** How much it matters. */
  readonly level: LogLevel;
  /** Where it comes from. */
  readonly source: LogSource;
  /** The text. */
  readonly message: string;
  /** What belongs to it, as JSON. */
  readonly properties?: Readonly<Record<string, unknown>>;
  /** How many bytes of records were dropped before this one, since there were too many. */
  readonly dropped?: number;
}

/** What a child is told to load. */
export interface LoadRequest {
  /** The URL of the module; undefined for an executable, which brings its own. */
  readonly url: string | undefined;
}

/** What a loaded module has. */
export interface LoadedExports {
  /** The symbols that are functions, sorted. */
  readonly functions: readonly string[];
  /** The other symbols by their names: a copy, or why there is none. */
  readonly values: ReadonlyMap<string, ExportedValue>;
  /** The hooks that it exports. */
  readonly hooks: readonly string[];
  /** Whether its default export answers requests; absent where the child is too old to say so. */
  readonly serves?: boolean;
}

/** The copy of an export, or why there is none. */
export type ExportedValue =
  | { readonly text: string; readonly buffers: readonly ArrayBuffer[] }
  | { readonly refused: string };

/** What of a plugin's context is sent; the child makes the logger itself. */
export interface SentContext {
  /** The plugin's name. */
  readonly name: string;
  /** All the rest: copies, and the signal. */
  readonly [field: string]: unknown;
}

/** What the child answers a ping with, in bytes. */
export interface Pong {
  /** The heap in use. */
  readonly heapUsed: number;
  /** All memory of the process; that of the whole host from a worker. */
  readonly rss: number;
}

/** What came out of a call: a result, or what was thrown, which may be anything. */
export type Outcome = { readonly ok: unknown } | { readonly thrown: unknown };
