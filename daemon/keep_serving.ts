/** How long a server that was ended stays away, in milliseconds. */
const PAUSE = 100;

/** What is to be done about a server's end. */
export interface ServingWorld {
  /** Listens again; may throw, and is asked again then. Does nothing where no server is wanted any more. */
  again(): void | Promise<void>;
  /** Told why it ended. */
  ended(error: unknown): void;
}

/**
 * Lets a server be started again where the system ends it: when open files are used up, nothing more can
 * be accepted, and `Deno.serve` ends for good with that, and where nobody catches it, the process. What it
 * had accepted goes on.
 */
export function keepServing(
  { finished }: Pick<Deno.HttpServer, "finished">,
  { again, ended }: ServingWorld,
): void {
  finished.catch(async (error) => {
    ended(error);
    for (;;) {
      await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, PAUSE)));
      try {
        return await again();
      } catch {
        // There may be no file for it yet.
      }
    }
  });
}
