/** What a build service tells; `id` is the same for all that is told of one request. */
export type BuildServiceEvent =
  | {
    /** It takes requests. */
    readonly type: "listening";
    /** Its address. */
    readonly url: string;
  }
  | {
    /** A build is done. */
    readonly type: "built";
    /** Counts the requests to build. */
    readonly id: number;
    /** The plugin's name. */
    readonly name: string;
    /** How many targets were built. */
    readonly targets: number;
    /** How many were not. */
    readonly failed: number;
    /** How long it took from the request on, in milliseconds. */
    readonly durationMs: number;
  }
  | {
    /** A build failed, or was never begun. */
    readonly type: "failed";
    /** Counts the requests to build. */
    readonly id: number;
    /** The error's code. */
    readonly code: string;
    /** The error's message. */
    readonly message: string;
    /** How long it took from the request on, in milliseconds. */
    readonly durationMs: number;
  }
  | {
    /** Who asked for the build went away. */
    readonly type: "cancelled";
    /** Counts the requests to build. */
    readonly id: number;
    /** How long it took from the request on, in milliseconds. */
    readonly durationMs: number;
  }
  | {
    /** A request was answered with a refusal before it was read. */
    readonly type: "refused";
    /** The error's code. */
    readonly code: string;
    /** The error's message. */
    readonly message: string;
  }
  | {
    /** It takes no more requests, and has none. */
    readonly type: "closed";
  };
