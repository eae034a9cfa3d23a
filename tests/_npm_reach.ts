import { configuredRegistry } from "../builder/toolchain/npm_registry.ts";

const PATIENCE_MS = 10_000;

/** Why nothing can be fetched from npm's registry, if so; what it answers does not matter. */
export const NPM_OBSTACLE: string | undefined = await answers()
  ? undefined
  : "npm's registry does not answer";

/** Registers a test that fetches from npm's registry; where none answers it says so by its name. */
export function npmTest({ name, ignore = false, fn }: {
  readonly name: string;
  readonly ignore?: boolean;
  readonly fn: () => Promise<void>;
}): void {
  Deno.test({
    name: nameUnless(NPM_OBSTACLE, name),
    ignore: ignore || NPM_OBSTACLE !== undefined,
    fn,
  });
}

/** The name of a test or step, which says so where it is skipped. */
export function nameUnless(obstacle: string | undefined, name: string): string {
  return obstacle === undefined ? name : `SKIPPED, ${obstacle}: ${name}`;
}

async function answers(): Promise<boolean> {
  try {
    const { url } = await configuredRegistry("@deno");
    const signal = AbortSignal.timeout(PATIENCE_MS);
    await (await fetch(url, { method: "HEAD", signal })).body?.cancel();
    return true;
  } catch {
    return false; // no network, no name, nobody there
  }
}
