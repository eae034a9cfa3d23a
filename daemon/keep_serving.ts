/** How long a server that was ended stays away at first, and at most, in milliseconds. */
const SHORTEST = 100;
const LONGEST = 1_000;
/** A server that has lasted for so long begins anew with the shortest pause, in milliseconds. */
const STEADY = 10_000;

type Server = Pick<Deno.HttpServer, "finished">;

/** What is to be done about a server's end. */
export interface ServingWorld {
  /**
   * Listens again; undefined where no server is wanted any more. May throw, and is asked again then.
   */
  again(): Server | undefined | Promise<Server | undefined>;
  /** Told why it ended. */
  ended(error: unknown): void;
}

/**
 * Lets a server be started again where the system ends it: when open files are used up, nothing more can
 * be accepted, and `Deno.serve` ends for good with that, and where nobody catches it, the process. What it
 * had accepted goes on.
 */
export function keepServing(server: Server, world: ServingWorld, pause = SHORTEST): void {
  const began = performance.now();
  server.finished.catch(async (error) => {
    world.ended(error);
    // Files may stay used up for hours.
    let wait = performance.now() - began < STEADY ? pause : SHORTEST;
    for (;;) {
      await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, wait)));
      wait = Math.min(wait * 2, LONGEST);
      try {
        const next = await world.again();
        if (next) keepServing(next, world, wait);
        return;
      } catch {
        // There may be no file for it yet.
      }
    }
  });
}
