/** How long what was answered may take to be sent, in milliseconds. */
const FLUSH = 2_000;

/**
 * Ends a server that has answered all: what it was answered with may still be on its way, and an abort
 * would break that off. Whoever does not take it is not waited for.
 */
export async function shutDown(server: Pick<Deno.HttpServer, "shutdown" | "unref">): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, FLUSH));
  // One that the system had ended has nothing left to end.
  await Promise.race([server.shutdown().catch(() => {}), late]);
  clearTimeout(timer);
  server.unref();
}
