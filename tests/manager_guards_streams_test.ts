import { assertEquals } from "@std/assert";
import { PluginManager } from "../manager/mod.ts";
import { writeArtifact } from "./_artifacts.ts";
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
