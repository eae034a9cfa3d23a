import { join } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { describeError } from "../../manager/describe_error.ts";
import { storeOf } from "./artifact_store.ts";
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
  try {
    const { records, fault, missing } = look(folder);
    const lost = fault === undefined
      ? missing
      : `${fault}, and was set aside in "${setAside(folder)}"`;
    return { records, lost };
  } catch (cause) {
    throw unreadable(folder, cause);
  }
}

/**
 * What is remembered, for a look only, and what a daemon that begins would tell of it: nothing is set
 * aside.
 */
export function peekState(folder: string): ReadState {
  try {
    const { records, fault, missing } = look(folder);
    return { records, lost: fault === undefined ? missing : `${fault}, and would be set aside` };
  } catch (cause) {
    return { records: new Map(), lost: unreadable(folder, cause).message };
  }
}

/** What was read, why that is of no use, and that there should be something. */
interface Look {
  readonly records: Map<string, PluginRecord>;
  readonly fault?: string;
  readonly missing?: string;
}

function look(folder: string): Look {
  const path = join(folder, STATE_FILE);
  const text = readTextFile(path);
  if (text === undefined) {
    const missing = `There is no "${path}", though a daemon was here`;
    return { records: new Map(), ...(isLeft(storeOf(folder)) && { missing }) };
  }
  const read = parseState(text);
  if (read instanceof Map) return { records: read };
  const what = read.kind === "newer" ? "was written by a newer version" : "is damaged";
  return { records: new Map(), fault: `"${path}" ${what} (${read.why})` };
}

function unreadable(folder: string, cause: unknown): HotplugError {
  if (cause instanceof HotplugError) return cause;
  return new HotplugError(
    "state",
    `Cannot read the state in "${folder}": ${describeError(cause)}; mend or remove it`,
    { cause },
  );
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
