import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { errnoOf } from "./fs_error.ts";

/**
 * Who made a lock, a temporary file or a work folder: enough to tell later whether that process is
 * still there.
 */
export interface Owner {
  /** Eight hex digits that stand for the host and, on Linux, its process namespace. */
  readonly host: string;
  /** The process. */
  readonly pid: number;
  /** When the process began, in the system's own ticks; `0` where that is not known. */
  readonly started: string;
}

/** What is known about an owner; `unknown` is one on another host. */
export type OwnerState = "alive" | "dead" | "unknown";

const TOKEN = /^([0-9a-f]{8})-([1-9][0-9]{0,9})-([0-9]{1,20})$/;

/** The start of a process that ended and that its parent has not asked about yet. */
const ENDED = "";

let self: Owner | undefined;

/** This process as an owner. */
export function thisOwner(): Owner {
  self ??= { host: hostId(), pid: process.pid, started: startOf(process.pid) ?? "0" };
  return self;
}

/** Writes an owner so that it can be part of a file name: a name appears whole or not at all. */
export function formatOwner(owner: Owner): string {
  return `${owner.host}-${owner.pid}-${owner.started}`;
}

/** Reads what {@linkcode formatOwner} wrote; nothing if it is something else. */
export function parseOwner(text: string): Owner | undefined {
  const [, host, pid, started] = TOKEN.exec(text) ?? [];
  if (host === undefined || pid === undefined || started === undefined) return undefined;
  return { host, pid: Number(pid), started };
}

/** Tells whether the owner's process still runs, as far as this host can know. */
export function ownerState(owner: Owner): OwnerState {
  if (owner.host !== thisOwner().host) return "unknown";
  if (!isRunning(owner.pid)) return "dead";
  // A pid comes again after a while: the same one with another start is another process.
  const started = startOf(owner.pid);
  if (started === undefined || owner.started === "0") return "alive";
  return started === owner.started ? "alive" : "dead";
}

/** Tells whether a process of that id exists and has not ended yet. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return false;
  }
  return startOf(pid) !== ENDED;
}

function hostId(): string {
  return createHash("sha256").update(`${hostname()} ${pidNamespace()}`).digest("hex").slice(0, 8);
}

/** Containers may share host name and folder, yet a pid means another process in each. */
function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return ""; // no Linux, or not allowed to look: the host name alone has to do
  }
}

function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets and may hold anything, brackets too.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, started] = [fields[0], fields[19]];
    return state === "Z" || state === "X" ? ENDED : started;
  } catch {
    return undefined; // no Linux, or it ended between two looks: the pid alone has to do
  }
}
