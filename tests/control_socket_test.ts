import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { ControlServer } from "../daemon/mod.ts";
import { isLive, readPlace } from "../daemon/control/control_place.ts";
import { clearSocket, openSocket } from "../daemon/control/control_socket.ts";
import { startControl, tcpOf, unixClient } from "./_control.ts";
import { makeDaemon, publish, within } from "./_daemon.ts";
import { assertCode } from "./_errors.ts";
import { startScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

const ignore = Deno.build.os === "windows";

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

async function modeOf(path: string): Promise<string> {
  return ((await Deno.lstat(path)).mode! & 0o777).toString(8);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

test("the socket lies in the state folder, and both are private", async () => {
  await using at = await startControl();
  assertEquals(at.place.socket, join(at.state, "control.sock"));
  assertEquals([await modeOf(at.state), await modeOf(at.place.socket ?? "")], ["700", "600"]);
  assertEquals(await readPlace(at.state), at.place);
  // From there: a folder that was moved still leads to its own daemon.
  const { socket } = JSON.parse(await Deno.readTextFile(join(at.state, "control.json")));
  assertEquals(socket, "control.sock");
  await at.control.close();
  assertEquals(
    await Promise.all(["control.sock", "control.json"].map((each) => exists(join(at.state, each)))),
    [false, false],
  );
});

test("what listens ends where its socket can't be put in its place", async () => {
  await using directory = await tempDirectory();
  const ended = Promise.withResolvers<void>();
  const listen = async (path: string): Promise<Deno.HttpServer> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = Deno.serve({ path, onListen: () => resolve() }, () => new Response());
    server.finished.then(ended.resolve);
    await promise;
    await Deno.remove(path);
    return server;
  };
  await assertRejects(() => openSocket({ path: directory.file("s"), folder: undefined }, listen));
  await within(10_000, "its end", ended.promise);
});

test("a socket that somebody has removed is there again, with its folder, and gone after the end", async () => {
  await using directory = await tempDirectory();
  for (const name of ["state", "s".repeat(120)]) {
    const state = directory.file(name);
    await using fixture = makeDaemon([directory.file("plugins")], { state });
    await fixture.daemon.open();
    await using control = new ControlServer(fixture.daemon, { state });
    const { socket = "" } = await control.start();
    const folder = dirname(socket);
    using above = Deno.watchFs(dirname(folder), { recursive: false });
    using inside = name === "state" ? Deno.watchFs(folder) : undefined;
    await Deno.remove(inside ? socket : folder, { recursive: true });
    if (!inside) { for await (const _ of above) if (await exists(folder)) break; }
    using again = inside ? undefined : Deno.watchFs(folder);
    while (!await exists(socket)) await (inside ?? again)?.[Symbol.asyncIterator]().next();
    assertEquals([await modeOf(folder), await modeOf(socket)], ["700", "600"]);
    using client = unixClient({ socket });
    const response = await fetch("http://localhost/livez", { client });
    assertEquals(await response.text(), "ok\n");
    await control.close();
    assertEquals(await exists(socket), false);
  }
});

test("a socket that was removed listens no more once another is there, and its readers read on", async () => {
  await using at = await startControl();
  const socket = at.place.socket ?? "";
  using client = unixClient({ socket });
  const { body } = await fetch("http://localhost/v1/events", { client });
  const events = body!.pipeThrough(new TextDecoderStream()).getReader();
  await events.read();
  const old = (await Deno.lstat(socket)).ino;
  // By another name it can still be reached.
  const other = `${socket}.old`;
  await Deno.rename(socket, other);
  using folder = Deno.watchFs(at.state);
  while (!await exists(socket)) await folder[Symbol.asyncIterator]().next();
  assert((await Deno.lstat(socket)).ino !== old);
  const isOver = async (): Promise<void> => {
    while (await isLive({ socket: other })) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await within(10_000, "the end of the old one", isOver());
  at.fixture.daemon.manager.freeze("pricing");
  assertStringIncludes((await events.read()).value ?? "", "event: frozen");
  const rest = events.read();
  await at.control.close();
  assertEquals((await rest).done, true);
});

test("a control whose state folder was moved leaves the one that is there instead alone", async () => {
  await using directory = await tempDirectory();
  const state = directory.file("state");
  await using fixture = makeDaemon([directory.file("plugins")]);
  await Deno.mkdir(state, { mode: 0o700 });
  await using first = new ControlServer(fixture.daemon, { state });
  await first.start();
  await Deno.rename(state, `${state}.moved`);
  await Deno.mkdir(state, { mode: 0o700 });
  await using second = new ControlServer(fixture.daemon, { state });
  const place = await second.start();
  await first.close();
  using client = unixClient(place);
  const response = await fetch("http://localhost/livez", { client });
  assertEquals(await response.text(), "ok\n");
});

test("a state folder whose path is too long has its socket in a private folder elsewhere", async () => {
  await using directory = await tempDirectory();
  const state = directory.file("s".repeat(120));
  await using fixture = makeDaemon([directory.file("plugins")], { state });
  await fixture.daemon.open();
  await using control = new ControlServer(fixture.daemon, { state });
  const { socket = "" } = await control.start();
  assertEquals(await modeOf(dirname(socket)), "700");
  assertEquals((await readPlace(state))?.socket, socket);
  using client = unixClient({ socket });
  const response = await fetch("http://localhost/livez", { client });
  assertEquals(await response.text(), "ok\n");
  await control.close();
  assertEquals(await exists(dirname(socket)), false);
});

test("a place that can't be written, as on a full disk, is written once it can be", async () => {
  await using directory = await tempDirectory();
  const state = directory.file("state");
  // In the way of the file that is renamed, and not empty: that can't be removed.
  const obstacle = join(state, "control.json.new");
  await Deno.mkdir(join(obstacle, "kept"), { recursive: true, mode: 0o700 });
  await using fixture = makeDaemon([directory.file("plugins")], { state });
  await fixture.daemon.open();
  await using control = new ControlServer(fixture.daemon, { state });
  const place = await control.start();
  using client = unixClient(place);
  const response = await fetch("http://localhost/livez", { client });
  assertEquals(await response.text(), "ok\n");
  assertEquals(await readPlace(state), undefined);
  using watcher = Deno.watchFs(state);
  await Deno.remove(obstacle, { recursive: true });
  for await (const { paths } of watcher) {
    if (paths.includes(join(state, "control.json")) && await readPlace(state)) break;
  }
  assertEquals(await readPlace(state), place);
  await control.close();
  assertEquals(await readPlace(state), undefined);
});

test("the socket of a daemon that was killed is replaced", async () => {
  await using directory = await tempDirectory();
  const state = directory.file("state");
  await Deno.mkdir(state, { mode: 0o700 });
  const path = join(state, "control.sock");
  const source = `
    Deno.listen({ transport: "unix", path: ${JSON.stringify(path)} });
    console.log("listening");
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  await using other = await startScript(directory.path, source);
  const lines = other.stdout.getReader();
  await lines.read();
  await using fixture = makeDaemon([directory.file("plugins")], { state });
  await fixture.daemon.open();
  // While it lives, it is left alone.
  const { message } = await assertCode(clearSocket(path, 100), "listen");
  assertStringIncludes(message, "somebody listens there already");
  assert(await exists(path));
  other.kill("SIGKILL");
  await other.status;
  assert(await exists(path));
  await using control = new ControlServer(fixture.daemon, { state });
  const place = await control.start();
  using client = unixClient(place);
  assertEquals(await (await fetch("http://localhost/livez", { client })).text(), "ok\n");
  await lines.cancel();
  await other.stderr.cancel();
  await other.stdin.close().catch(() => {});
});

test("what is no socket is not touched", async () => {
  await using directory = await tempDirectory();
  const state = directory.file("state");
  await using fixture = makeDaemon([directory.file("plugins")], { state });
  await fixture.daemon.open();
  const path = join(state, "control.sock");
  await Deno.writeTextFile(path, "precious");
  await using control = new ControlServer(fixture.daemon, { state });
  const { message } = await assertCode(control.start(), "listen");
  assertStringIncludes(message, path);
  assertEquals(await Deno.readTextFile(path), "precious");
});

Deno.test("a port that is taken is told", async () => {
  await using at = await startControl();
  const { hostname = "", port } = tcpOf(at.place);
  const control = new ControlServer(at.fixture.daemon, {
    tcp: { hostname, port },
    token: "a-token-that-is-long-enough",
  });
  const { message } = await assertCode(control.start(), "listen");
  assertStringIncludes(message, `${hostname}:${port}`);
  await control.close();
});

Deno.test("a close ends what is under way, and is the same a second time", async () => {
  await using at = await startControl();
  const idle = await Deno.connect(tcpOf(at.place));
  const slow = await Deno.connect(tcpOf(at.place));
  await slow.write(new TextEncoder().encode("PUT /v1/log-level HTTP/1.1\r\nhost: 127.0"));
  const events = await at.ask("GET", "/v1/events");
  const first = at.control.close();
  assert(first === at.control.close());
  await within(5_000, "the close", first);
  assertEquals((await events.text()).startsWith(": hotplug"), true);
  idle.close();
  slow.close();
});

Deno.test("a close gives up a call that does not end, tells whoever asked, and ends nothing else", async () => {
  const calls = Promise.withResolvers<void>();
  const holder = globalThis as { callOfControlTest?: () => void };
  holder.callOfControlTest = () => calls.resolve();
  await using at = await startControl({ allowInvoke: true });
  await publish(
    at.plugins,
    "export const hang = () => { globalThis.callOfControlTest(); return new Promise(() => {}); };",
  );
  await at.fixture.loaded("pricing");
  const body = { symbol: "hang" };
  const givenUp = at.ask("POST", "/v1/plugins/pricing/invoke", { body });
  await calls.promise;
  delete holder.callOfControlTest;
  const closed = at.control.close();
  const late = await at.ask("GET", "/v1/status", { tcp: true });
  assertEquals([late.status, (await late.json()).code], [503, "closed"]);
  await within(5_000, "the close", closed);
  const answer = await givenUp;
  assertEquals([answer.status, (await answer.json()).code], [503, "closed"]);
});

Deno.test("what is answered while a control is being closed is sent to its end", async () => {
  const called = Promise.withResolvers<void>();
  const over = Promise.withResolvers<string>();
  const holder = globalThis as { answerOfControlTest?: () => Promise<string> };
  holder.answerOfControlTest = () => (called.resolve(), over.promise);
  await using at = await startControl({ allowInvoke: true });
  await publish(at.plugins, "export const wait = () => globalThis.answerOfControlTest();");
  await at.fixture.loaded("pricing");
  const answer = at.json("POST", "/v1/plugins/pricing/invoke", { symbol: "wait" });
  await called.promise;
  delete holder.answerOfControlTest;
  const closed = at.control.close();
  const long = "x".repeat(5_000_000);
  over.resolve(long);
  assertEquals((await answer as { result: string }).result.length, long.length);
  await closed;
});

Deno.test("while its daemon is being closed a control begins no call", async () => {
  const called = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const holder = globalThis as { drainOfControlTest?: () => Promise<void> };
  holder.drainOfControlTest = () => (called.resolve(), over.promise);
  await using at = await startControl({ allowInvoke: true });
  await publish(at.plugins, "export const wait = () => globalThis.drainOfControlTest();");
  await at.fixture.loaded("pricing");
  const invoke = () => at.ask("POST", "/v1/plugins/pricing/invoke", { body: { symbol: "wait" } });
  const first = invoke();
  await called.promise;
  delete holder.drainOfControlTest;
  const closed = at.fixture.daemon.close({ drain: 30_000 });
  const second = await invoke();
  assertEquals([second.status, (await second.json()).code], [503, "closed"]);
  over.resolve();
  assertEquals((await first).status, 200);
  await closed;
});

Deno.test("a control that was closed does not start", async () => {
  await using directory = await tempDirectory();
  await using fixture = makeDaemon([directory.path]);
  const control = new ControlServer(fixture.daemon, { state: directory.file("state") });
  await control.close();
  await assertCode(control.start(), "closed");
});
