import { join } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { describeError } from "../../manager/describe_error.ts";
import { isFileThere } from "./is_file_there.ts";
import { formatState, parseState, type PluginRecord, type PluginRecords } from "./state_record.ts";
import { writeAtomically } from "./write_atomically.ts";

/** What was read of a state folder. */
export interface ReadState {
  /** The records; none where there was nothing to read, or it was of no use. */
  readonly records: Map<string, PluginRecord>;
  /** What is the matter; undefined where nothing is. */
  readonly lost: string | undefined;
}

/** The name of the file with the state, in a state folder. */
export const STATE_FILE = "state.json";
/** What is remembered besides, and of no use without. */
const OTHERS = ["store", "journal"];
/** So much is kept of what was set aside. */
const ASIDE = "aside-";
const MOST_ASIDE = 5;

/**
 * Reads the state. What is damaged, or was written by a newer version, is set aside with all that
 * belongs to it, in a folder of its own beside it.
 *
 * @throws {HotplugError} `state` where it can't be read or set aside.
 */
export function readState(folder: string): ReadState {
  const path = join(folder, STATE_FILE);
  try {
    const text = readTextFile(path);
    if (text === undefined) {
      const lost = isLeft(join(folder, "store"))
        ? `There is no "${path}", though a daemon was here`
        : undefined;
      return { records: new Map(), lost };
    }
    const read = parseState(text);
    if (read instanceof Map) return { records: read, lost: undefined };
    const aside = setAside(folder);
    const what = read.kind === "newer" ? "was written by a newer version" : "is damaged";
    return {
      records: new Map(),
      lost: `"${path}" ${what} (${read.why}), and was set aside in "${aside}"`,
    };
  } catch (cause) {
    throw new HotplugError(
      "state",
      `Cannot read the state in "${folder}": ${describeError(cause)}; mend or remove it`,
      { cause },
    );
  }
}

/** What is remembered, for a look only: nothing where there is nothing to read, or it is of no use. */
export function peekState(folder: string): PluginRecords {
  try {
    const text = readTextFile(join(folder, STATE_FILE));
    const read = text === undefined ? undefined : parseState(text);
    return read instanceof Map ? read : new Map();
  } catch {
    // Why it can't be read is told where the folder is looked at.
    return new Map();
  }
}

/** Writes the state; it is on the disk once this resolves. */
export async function writeState(folder: string, records: PluginRecords): Promise<void> {
  await writeAtomically(join(folder, STATE_FILE), formatState(records));
}

function isLeft(folder: string): boolean {
  try {
    return !Deno.readDirSync(folder)[Symbol.iterator]().next().done;
  } catch {
    return false;
  }
}

function setAside(folder: string): string {
  const name = `${ASIDE}${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
  const aside = join(folder, name);
  Deno.mkdirSync(aside, { mode: 0o700 });
  for (const each of [...OTHERS, STATE_FILE]) {
    try {
      Deno.renameSync(join(folder, each), join(aside, each));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  const all = Array.from(Deno.readDirSync(folder), (entry) => entry.name)
    .filter((each) => each.startsWith(ASIDE)).sort();
  for (const old of all.slice(0, -MOST_ASIDE)) {
    Deno.removeSync(join(folder, old), { recursive: true });
  }
  return aside;
}

function readTextFile(path: string): string | undefined {
  return isFileThere(path) ? Deno.readTextFileSync(path) : undefined;
}
