import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Connection, encodeFrame, FrameKind, FrameReader } from "../plugin/mod.ts";
import { assertCode, assertThrowsCode } from "./_errors.ts";

const MARK = 0x01020304;

function frameOf(text: string, ...buffers: ArrayBuffer[]): Uint8Array {
  const pieces = encodeFrame(MARK, FrameKind.message, { head: "q", text, buffers });
  return new Uint8Array(pieces.flatMap((each) => [...each]));
}

Deno.test("frames are the same however the stream is cut", () => {
  const bytes = new Uint8Array([
    ...frameOf("one"),
    ...frameOf("two é", new Uint8Array([1, 2, 3]).buffer, new ArrayBuffer(0)),
    ...frameOf(""),
  ]);
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new FrameReader(MARK);
    const frames = [];
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.slice(at, at + size);
      frames.push(...reader.push(piece));
      piece.fill(0); // the reader keeps nothing of what belongs to its caller
    }
    assertEquals(frames.map(({ text }) => text), ["one", "two é", ""]);
    assertEquals(frames[1]?.buffers.map((each) => [...new Uint8Array(each)]), [[1, 2, 3], []]);
  }
});

Deno.test("what is no frame, or larger than one may be, is refused by its head", () => {
  const wrong = frameOf("x");
  wrong[0] = 7;
  const large = frameOf("x");
  new DataView(large.buffer).setUint32(4, 64 * 1024 * 1024 + 1);
  const short = frameOf("x");
  new DataView(short.buffer).setUint32(4, 3);
  const lying = frameOf("x");
  new DataView(lying.buffer).setUint32(13, 1000);
  const utf8 = frameOf("x");
  utf8[utf8.length - 1] = 0xff;
  for (const bytes of [wrong, large, short, lying, utf8]) {
    assertThrowsCode(() => [...new FrameReader(MARK).push(bytes)], "protocol");
  }
});

Deno.test("what is too large to be sent is refused where it is", () => {
  const buffers = [new ArrayBuffer(64 * 1024 * 1024)];
  assertThrowsCode(
    () => encodeFrame(MARK, FrameKind.message, { head: "", text: "", buffers }),
    "limit",
  );
});

/** Two ends that hear each other in the next turn. */
function connect(
  functions: Record<string, (...args: never[]) => unknown>,
): [Connection, Connection] {
  const near: Connection = new Connection(
    new Map(),
    (message) => queueMicrotask(() => far.receive(message)),
  );
  const far: Connection = new Connection(
    new Map(Object.entries(functions)),
    (message) => queueMicrotask(() => near.receive(message)),
  );
  return [near, far];
}

Deno.test("a stream runs no further ahead than the reader allows", async () => {
  let made = 0;
  const [near] = connect({
    async *numbers() {
      for (;;) yield made++;
    },
    async *large() {
      for (;;) {
        made++;
        yield new Uint8Array(1024 * 1024);
      }
    },
  });
  for (const [method, most] of [["numbers", 17], ["large", 3]] as const) {
    made = 0;
    const stream = await near.call(method) as AsyncGenerator<unknown>;
    await new Promise((done) => setTimeout(done, 20));
    assertEquals(made, 0);
    await stream.next();
    await new Promise((done) => setTimeout(done, 20));
    assert(made <= most, `${made} items were made for 1 that was read`);
    await stream.return(undefined);
  }
});

Deno.test("a stream that has an item that can't be copied fails there, and is closed", async () => {
  let closed = false;
  const [near] = connect({
    async *odd() {
      try {
        yield 1;
        yield () => 2;
      } finally {
        closed = true;
      }
    },
  });
  const stream = await near.call("odd") as AsyncGenerator<unknown>;
  assertEquals(await stream.next(), { done: false, value: 1 });
  await assertCode(stream.next(), "clone");
  await new Promise((done) => setTimeout(done, 5));
  assert(closed);
});

Deno.test("what can't be copied is told with its place, on the way there and back", async () => {
  const [near] = connect({
    echo: (...args: unknown[]) => args,
    give: () => ({ list: [1, new WeakMap()] }),
  });
  const there = await assertCode(near.call("echo", "x", [{ fn: () => 1 }]), "clone");
  assertStringIncludes(there.message, "argument 0.fn");
  const back = await assertCode(near.call("give"), "clone");
  assertStringIncludes(back.message, ".list[1]");
  assertStringIncludes(back.message, "WeakMap");
});

Deno.test("with its end, calls fail each with an error of their own, and streams too", async () => {
  const [near] = connect({
    never: () => new Promise(() => {}),
    async *wait() {
      yield 1;
      await new Promise(() => {});
    },
  });
  const calls = [near.call("never"), near.call("never")];
  const stream = await near.call("wait") as AsyncGenerator<unknown>;
  await stream.next();
  const next = stream.next();
  near.close(() => new RangeError("over"));
  const errors = await Promise.all([...calls, next].map((each) => each.catch((error) => error)));
  assertEquals(errors.map((each) => (each as Error).message), ["over", "over", "over"]);
  assert(new Set(errors).size === 3);
  await near.call("never").then(
    () => assert(false),
    (error) => assertEquals(error.message, "over"),
  );
});

Deno.test("what is no message of the protocol is refused", () => {
  const [near] = connect({});
  for (const head of ["", "x1", "q", "q1"]) {
    assertThrowsCode(() => near.receive({ head, text: "[[]]", buffers: [] }), "protocol");
  }
  assertThrowsCode(() => near.receive({ head: "q1 call", text: "[1]", buffers: [] }), "protocol");
});

Deno.test("a stream that brings more than it was asked for is cut", async () => {
  const messages: string[] = [];
  const near: Connection = new Connection(new Map(), ({ head }) => void messages.push(head));
  const call = near.call("flood");
  const id = messages[0]?.slice(1).split(" ")[0];
  near.receive({ head: `o${id}`, text: '[["Special",1],[2,3],"stream",7]', buffers: [] });
  const stream = await call as AsyncGenerator<unknown>;
  const first = stream.next();
  for (let i = 0; i < 1000; i++) {
    near.receive({ head: "q stream.item", text: '[[1,2],7,"more"]', buffers: [] });
  }
  let read = 0;
  const reading = async (): Promise<void> => {
    await first;
    for await (const _ of stream) read++;
  };
  await assertCode(reading(), "protocol");
  assert(read <= 16, `${read} items were kept`);
});
