import { join } from "@std/path";
import { type ControlPlace, readPlace } from "../daemon/control/control_place.ts";
import { startDaemon } from "./_cli.ts";
import { tcpOf } from "./_control.ts";
import { publish } from "./_daemon.ts";
import type { FuzzedRequest } from "./_fuzz_request.ts";
import {
  changes,
  fuzzDoors,
  type FuzzedDoor,
  type FuzzOptions,
  type FuzzReport,
  leftOpen,
  openFiles,
  PATIENCE,
  plain,
  send,
  treeOf,
} from "./_fuzz_wire.ts";
import { documentChecker } from "./_openapi.ts";
import { tempDirectory } from "./_temp.ts";

const BODIES = [
  {},
  null,
  [],
  { level: "info" },
  { level: "loud" },
  { to: 20240101000000 },
  { scn: 20240101000000 },
  { reason: "x".repeat(2_000) },
  { symbol: "answer", args: [1] },
  { symbol: "fail", args: [] },
  { symbol: "__proto__" },
  { symbol: "answer", args: [], deadline: 1 },
];
const SOURCE = `
  export const answer = (value) => value;
  export const fail = () => { throw new Error("no such luck"); };
`;
const SLOW_HEADS = ["PUT /v1/log-level HTTP/1.1\r\nhost: 127.0.0.1\r\n", "GET /", ""];
const READS = /^(https?:\/\/[^/]*)?\/(livez|readyz)([?#]|$)/;
/** What the server itself answers to what is no request. */
const NO_REQUEST = [0, 400, 408, 413, 414, 431, 505];

/** Sends a daemon that runs for this alone whatever can be sent, by all of its doors. */
export async function fuzzControl(options: FuzzOptions): Promise<FuzzReport> {
  await using directory = await tempDirectory();
  const [plugins, state] = [directory.file("plugins"), directory.file("state")];
  await Deno.mkdir(plugins);
  await Deno.writeTextFile(directory.file("canary"), "alive");
  for (const scn of [20240101000000, 20240101000001]) await publish(plugins, SOURCE, { scn });
  const args = [plugins, "--state", state, "--no-config", "--control", "127.0.0.1:0"];
  await using daemon = startDaemon([...args, "--allow-invoke"]);
  await daemon.events.next(({ type }) => type === "ready", PATIENCE * 3);
  const place = await readPlace(state);
  if (!place) throw new Error("the daemon did not write where it listens");
  const token = (await Deno.readTextFile(join(state, "control.token"))).trim();
  const before = await treeOf(directory.path);
  const paths = await pathsOf(place);
  const doors = doorsOf(place, token, paths);
  const open = await openFiles(place.pid);
  const { statuses, faults } = await fuzzDoors(doors, options, SLOW_HEADS);
  const live = await send(tcpOf(place), plain("GET /livez HTTP/1.1\r\nhost: 127.0.0.1"));
  if (!live.endsWith("ok\n")) faults.push(`it does not live any more: ${live}`);
  faults.push(...changes(before, await treeOf(directory.path)));
  faults.push(...await leftOpen(place.pid, open));
  daemon.kill("SIGTERM");
  const { code, stderr } = await daemon.ended();
  if (code !== 0) faults.push(`it ended with ${code}: ${stderr.slice(-2_000)}`);
  if (/A request failed/.test(stderr)) faults.push(stderr.slice(0, 2_000));
  return { requests: options.requests, statuses, faults };
}

function doorsOf(place: ControlPlace, token: string, paths: readonly string[]): FuzzedDoor[] {
  const tcp = tcpOf(place);
  const server = { paths, bodies: BODIES, headers: {} };
  const authorization = `Bearer ${token}`;
  const doors: FuzzedDoor[] = [
    { target: tcp, server, judge: judgeOf(false) },
    { target: tcp, server: { ...server, headers: { authorization } }, judge: judgeOf(true) },
  ];
  if (place.socket === undefined) return doors;
  return [...doors, {
    target: { transport: "unix", path: place.socket },
    server,
    judge: judgeOf(true),
  }];
}

/** Those of the document, but for the stream that does not end. */
async function pathsOf(place: ControlPlace): Promise<string[]> {
  const target = place.socket === undefined
    ? tcpOf(place)
    : { transport: "unix" as const, path: place.socket };
  const answer = await send(target, plain("GET /v1/openapi.json HTTP/1.1\r\nhost: localhost"));
  const document = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")));
  const all = documentChecker(document).operations.map(({ path }) => path);
  return all.map((path) => path === "/v1/events" ? `${path}?follow=false` : path);
}

/** Open is a door that lets requests in. */
function judgeOf(isOpen: boolean): FuzzedDoor["judge"] {
  return (status, answer, request) => judge(status, answer, request, isOpen);
}

function judge(
  status: number,
  answer: string,
  { target, cut }: FuzzedRequest,
  isOpen: boolean,
): string | undefined {
  if (answer.startsWith("late")) return cut ? undefined : "no end of the answer";
  if (status >= 500) {
    const isProblem = /\r\ncontent-type: application\/problem\+json\r\n/i.test(answer);
    if (!isProblem && status !== 505) return `${status} without a problem document`;
    if (answer.includes(`"code":"unexpected"`)) return "a failure that was not foreseen";
  }
  if (isOpen || READS.test(target)) return undefined;
  const isRefused = status === 401 || NO_REQUEST.includes(status) || status === 100;
  return isRefused ? undefined : `${status} without a token`;
}
