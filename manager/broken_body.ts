/** What `Deno.serve` says where the body of a request can't be read to its end. */
const BROKEN = /\bbody as underlying resource unavailable$/;
/** How deep a cause is looked for: they may go round in circles. */
const DEPTH = 5;

/**
 * Whether an error says that whoever sent a request went away within its body, or sent rubbish there: as it
 * is, or as the cause of another. That is no failure of the plugin that read it. Never throws, whatever a
 * plugin has thrown.
 */
export function isBrokenBody(thrown: unknown): boolean {
  try {
    let each = thrown;
    for (let depth = 0; depth < DEPTH && each instanceof Error; depth++) {
      if (each.name === "BadResource" && BROKEN.test(each.message)) return true;
      each = each.cause;
    }
  } catch {
    // A getter, or a proxy: nothing of the runtime's.
  }
  return false;
}
