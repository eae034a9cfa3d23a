import type { GenerationLife } from "./generation_life.ts";
import type { Holder } from "./hold_book.ts";
import { type AcquireOptions, Lease } from "./lease.ts";

/** Takes a lease on a generation. */
export function takeLease(
  life: GenerationLife,
  { label, ...bounds }: AcquireOptions,
): Lease {
  const holder: Holder = {
    kind: "lease",
    ...(label !== undefined && { label }),
    since: Date.now(),
  };
  life.calls.holds.add(holder);
  return new Lease({
    generation: life.generation,
    call: (symbol, args) => life.call(symbol, args, bounds),
    end: () => life.calls.holds.end(holder),
  });
}
