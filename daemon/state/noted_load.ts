import type { ErrorCode } from "../../artifact/mod.ts";
import type { VerifiedFiles } from "../../manager/mod.ts";
import type { KeptBytes } from "./kept_bytes.ts";
import type { JournaledLoad, JournalEntry, LoadJournal } from "./load_journal.ts";
import type { Moments } from "./moments.ts";
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
  /** What has just been loaded. */
  readonly moments: Pick<Moments, "stand">;
  /** What holds the bytes. */
  readonly bytes: Pick<KeptBytes, "hold">;
  /** Told of what can't be written. */
  failed(error: unknown): void;
  /** Told that a load has ended; answers with whether its bytes are to be kept. */
  ended(entry: JournalEntry): boolean;
  /** Told that a version has shown that it ends no process. */
  cleared(entry: JournalEntry): void;
}

const UNWRITTEN: JournaledLoad = { end: () => {}, loaded: () => {} };

/** Notes that a load begins. */
export function noteLoad(entry: JournalEntry, world: NotedWorld): NotedLoad {
  let letGo: ((wanted: boolean) => void) | undefined;
  const written = world.journal.begin(entry).catch((error) => {
    world.failed(error);
    return UNWRITTEN;
  });
  const attempt = (write: () => void): void => {
    try {
      write();
    } catch (error) {
      world.failed(error);
    }
  };
  /** What is loaded may end the process a moment later. */
  const stand = (load: JournaledLoad): void => {
    attempt(() => load.loaded());
    world.moments.stand(() => {
      attempt(() => load.end());
      world.cleared(entry);
    });
  };
  return {
    written,
    hold: (artifact) => letGo = world.bytes.hold(artifact),
    end: async (code) => {
      const load = await written;
      if (code === undefined) stand(load);
      else {
        attempt(() => load.end());
        if (isHarmless(code)) world.cleared(entry);
      }
      letGo?.(world.ended(entry));
    },
  };
}
