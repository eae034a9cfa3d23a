import { assertEquals } from "@std/assert";
import { PluginManager } from "../manager/mod.ts";
import { writeArtifact } from "./_artifacts.ts";
import { blamedOf } from "./_blamed.ts";
import { runScript } from "./_script.ts";
import { tempDirectory } from "./_temp.ts";

Deno.test("a guarded plugin makes streams as without guards", async () => {
  await using directory = await tempDirectory();
  const source = `
    class Source {
      #left = 2;
      why = "not cancelled";
      start() {
        this.#left--;
      }
      pull(controller) {
        controller.enqueue(this.#left--);
        if (this.#left < 0) controller.close();
      }
      cancel(reason) {
        this.why = this.#left + reason;
      }
    }
    class Own extends ReadableStream {}
    const taken = (fn) => {
      try {
        return fn();
      } catch (error) {
        return error.name;
      }
    };
    export const run = async () => {
      const cancelled = new Source();
      await new ReadableStream(cancelled, { highWaterMark: 0 }).cancel(" because");
      const bytes = new ReadableStream({
        type: "bytes",
        pull(controller) {
          controller.enqueue(new Uint8Array([7]));
          controller.close();
        },
        cancel() {},
      });
      const read = await bytes.getReader({ mode: "byob" }).read(new Uint8Array(4));
      const own = new Own(new Source());
      return [
        await Array.fromAsync(new ReadableStream(new Source())),
        cancelled.why,
        [...read.value],
        own instanceof Own && own instanceof ReadableStream && own.constructor === Own,
        new Response("x").body instanceof ReadableStream,
        new Response("x").body.constructor === ReadableStream,
        await Array.fromAsync(ReadableStream.from([1, 2])),
        taken(() => new ReadableStream({ type: "odd", cancel() {} })),
        taken(() => new ReadableStream({ get cancel() { throw new RangeError("mine"); } })),
        taken(() => new ReadableStream(null)),
        taken(() => new ReadableStream({ cancel: 5 })),
        taken(() => ReadableStream()),
        new ReadableStream().locked,
      ];
    };`;
  const { path } = await writeArtifact(directory.path, source, { info: false });
  const expected = [
    [1, 0],
    "1 because",
    [7],
    true,
    true,
    true,
    [1, 2],
    "TypeError",
    "RangeError",
    "TypeError",
    "TypeError",
    "TypeError",
    false,
  ];
  for (const guards of [true, false]) {
    await using manager = new PluginManager({ guards });
    const plugin = await manager.open(path);
    assertEquals(await plugin.call("run"), expected);
  }
});

Deno.test("what a plugin's stream does when it is read is its own, whoever reads and was loaded last", async () => {
  const names = ["first", "second", "last"];
  const { code, stderr, names: blamed } = await blamedOf(names, (index) => `
    export const activate = () => {
      let pulls = 0;
      const body = new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(1));
          if (++pulls === 3) Promise.reject("no stack");
          if (pulls === 5) controller.close();
        },
      });
      const server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        () => new Response(body),
      );
      const url = "http://127.0.0.1:" + server.addr.port;
      setTimeout(async () => {
        await (await fetch(url)).arrayBuffer();
        await server.shutdown();
      }, ${index} * 20);
    };`);
  assertEquals(stderr, "");
  assertEquals(code, 0);
  assertEquals([...blamed].sort(), [...names].sort());
});

Deno.test("what a host or a plugin has frozen stays as it is, and a manager begins and ends", async () => {
  await using directory = await tempDirectory();
  const { code, stdout, stderr } = await runScript(
    directory.path,
    `
    import { PluginManager } from "project:manager/mod.ts";
    const own = ReadableStream;
    const late = new PluginManager({ guards: true });
    Object.freeze(ReadableStream.prototype);
    await late.close();
    console.log(new own().constructor === ReadableStream);
    for (const each of [Deno, AbortSignal.prototype]) Object.freeze(each);
    for (const name of ["ReadableStream", "setTimeout"]) {
      Object.defineProperty(globalThis, name, { writable: false, configurable: false });
    }
    const early = new PluginManager({ guards: true });
    await early.close();
    console.log(new own().constructor === ReadableStream);
    `,
  );
  assertEquals(stderr, "");
  assertEquals(stdout, "true\ntrue\n");
  assertEquals(code, 0);
});
