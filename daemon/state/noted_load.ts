import type { ErrorCode } from "../../artifact/mod.ts";
import type { VerifiedFiles } from "../../manager/mod.ts";
import type { KeptBytes } from "./kept_bytes.ts";
import type { JournalEntry, LoadJournal } from "./load_journal.ts";
import { isHarmless } from "./tried_failures.ts";

/** A load that is noted in the journal. */
export interface NotedLoad {
  /** Settled once that is on the disk, or can't be: what is loading then may run. */
  readonly written: Promise<unknown>;
  /** Holds the bytes of what is loading, until it is known whether they are to be kept. */
  hold(artifact: VerifiedFiles): void;
  /** Notes that it has ended, well or with that code. */
  end(code?: ErrorCode): Promise<void>;
}

/** What noting a load needs of its state. */
export interface NotedWorld {
  /** Where it is noted. */
  readonly journal: Pick<LoadJournal, "begin">;
  /** What holds the bytes. */
  readonly bytes: Pick<KeptBytes, "hold">;
  /** Told of what can't be written. */
  failed(error: unknown): void;
  /**
   * Told that a load has ended, and whether that shows that it ends no process; answers with whether its
   * bytes are to be kept.
   */
  ended(entry: JournalEntry, isJudged: boolean): boolean;
}

/** Notes that a load begins. */
export function noteLoad(entry: JournalEntry, world: NotedWorld): NotedLoad {
  let letGo: ((wanted: boolean) => void) | undefined;
  const written = world.journal.begin(entry).catch((error) => {
    world.failed(error);
    return () => {};
  });
  return {
    written,
    hold: (artifact) => letGo = world.bytes.hold(artifact),
    end: async (code) => {
      try {
        (await written)();
      } catch (error) {
        world.failed(error);
      }
      const wanted = world.ended(entry, !code || isHarmless(code));
      letGo?.(wanted);
    },
  };
}
