import { dirname, isAbsolute, join, relative } from "@std/path";
import * as v from "valibot";
import { isFileThere } from "../state/is_file_there.ts";
import { writeAtomically } from "../state/write_atomically.ts";

/** Where a daemon's control listens. */
export interface ControlPlace {
  /** The path of its unix socket; absent where it has none. */
  readonly socket?: string;
  /** Its address on TCP; absent where it has none. */
  readonly url?: string;
  /** The process. */
  readonly pid: number;
  /** The folders that it watches. */
  readonly watch: readonly string[];
}

const FILE = "control.json";

const schema: v.GenericSchema<unknown, ControlPlace> = v.object({
  socket: v.exactOptional(v.string()),
  url: v.exactOptional(v.string()),
  pid: v.number(),
  watch: v.array(v.string()),
});

/**
 * Writes into a state folder where its daemon's control listens. A socket that lies in it is named from
 * there: so it is the daemon's own after the folder was moved, too.
 */
export async function writePlace(state: string, place: ControlPlace): Promise<void> {
  const { socket } = place;
  const isInside = socket !== undefined && dirname(socket) === state;
  const own = isInside ? { ...place, socket: relative(state, socket) } : place;
  await writeAtomically(join(state, FILE), `${JSON.stringify(own)}\n`);
}

/** Where the control of a state folder's daemon listens; undefined where nothing, or rubbish, is said. */
export async function readPlace(state: string): Promise<ControlPlace | undefined> {
  try {
    if (!isFileThere(join(state, FILE))) return undefined;
    const result = v.safeParse(schema, JSON.parse(await Deno.readTextFile(join(state, FILE))));
    if (!result.success) return undefined;
    const { socket } = result.output;
    const isInside = socket !== undefined && !isAbsolute(socket);
    return isInside ? { ...result.output, socket: join(state, socket) } : result.output;
  } catch {
    // No daemon was here, or none that ended in order.
    return undefined;
  }
}

/** Whether somebody listens there: a daemon that was killed leaves its place behind. */
export async function isLive(
  { socket, url = "" }: Pick<ControlPlace, "socket" | "url">,
): Promise<boolean> {
  try {
    const connection = socket === undefined
      ? await Deno.connect({ hostname: new URL(url).hostname, port: Number(new URL(url).port) })
      : await Deno.connect({ transport: "unix", path: socket });
    connection.close();
    return true;
  } catch {
    return false;
  }
}

/** Removes what a daemon that was killed has left; for who has the folder now. */
export async function removeLeftPlace(state: string): Promise<void> {
  await Deno.remove(join(state, FILE)).catch(() => {});
}

/** Takes it back, where it is still this process's. */
export async function removePlace(state: string): Promise<void> {
  if ((await readPlace(state))?.pid !== Deno.pid) return;
  await Deno.remove(join(state, FILE)).catch(() => {});
}
