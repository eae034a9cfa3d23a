/** How a build service is. */
export interface ServiceStatus {
  /** Always `up`; or `closing`, when it takes no more builds. */
  readonly status: "up" | "closing";
  /** Which hotplug it is. */
  readonly version: string;
  /** The Deno that it runs on, as `2.9.5`; it builds for others as well. */
  readonly deno: string;
  /** The platform that it runs on, as `linux/amd64`; it builds for others as well. */
  readonly target: string;
  /** When it began, in ISO 8601. */
  readonly startedAt: string;
  /** How many requests to build are here: running, waiting, sending or being sent. */
  readonly active: number;
  /** How many of them wait for others to be done. */
  readonly waiting: number;
  /** What became of those that are no longer here, since it began. */
  readonly counts: {
    /** Built, at least one target of each. */
    readonly built: number;
    /** Failed, or too late. */
    readonly failed: number;
    /** Given up by who asked. */
    readonly cancelled: number;
    /** Refused before anything was built. */
    readonly refused: number;
  };
  /** How much it takes on. */
  readonly limits: {
    /** Builds that run side by side. */
    readonly builds: number;
    /** Builds that may wait beside those. */
    readonly queue: number;
    /** Bytes of a request. */
    readonly bodyBytes: number;
    /** Milliseconds that a build may take. */
    readonly timeLimit: number;
  };
}
