import type { DaemonOptions } from "../daemon/mod.ts";
import { LoadJournal } from "../daemon/state/load_journal.ts";
import { type DaemonFixture, makeDaemon } from "./_daemon.ts";
import { tempDirectory } from "./_temp.ts";

/** Where a daemon with a state folder has its place, one after the other. */
export interface StatePlace extends AsyncDisposable {
  /** The folder that is watched. */
  readonly plugins: string;
  /** The state folder; it is not made yet. */
  readonly state: string;
  /** A daemon on both, started. */
  start(options?: Partial<DaemonOptions>): Promise<DaemonFixture>;
}

/** Makes a place: `await using at = await statePlace()`. */
export async function statePlace(): Promise<StatePlace> {
  const directory = await tempDirectory();
  const [plugins, state] = [directory.file("plugins"), directory.file("state")];
  await Deno.mkdir(plugins);
  return {
    plugins,
    state,
    start: async (options = {}) => {
      const fixture = makeDaemon([plugins], { state, ...options });
      await fixture.daemon.start();
      return fixture;
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

/** Leaves the state folder as a process does that ends while it loads that version of `pricing`. */
export async function beginLoading(state: string, path: string, scn: number): Promise<void> {
  const { journal } = LoadJournal.open(state);
  await journal.begin({ name: "pricing", scn, path });
  await journal.close();
}
