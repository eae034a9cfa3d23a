import { assertEquals } from "@std/assert";
import { isUnusable } from "../plugin/is_unusable.ts";

const KINDS: Record<string, () => BodyInit> = {
  text: () => "x",
  bytes: () => new Uint8Array(3),
  blob: () => new Blob(["x"]),
  stream: () => new Blob(["x"]).stream(),
};

for (const [kind, body] of Object.entries(KINDS)) {
  Deno.test(`an answer with ${kind} is unusable once somebody reads it, and not before`, async () => {
    const response = new Response(body());
    assertEquals(isUnusable(response), false);
    const [read, cancelled] = [response.clone(), new Response(body())];
    await read.text();
    await cancelled.body?.cancel();
    assertEquals([isUnusable(read), isUnusable(cancelled)], [true, true]);
    const reader = response.body?.getReader();
    assertEquals([isUnusable(response), response.bodyUsed], [true, false]);
    reader?.releaseLock();
    assertEquals(isUnusable(response), false);
  });
}

Deno.test("an answer without a body is never unusable", () => {
  assertEquals([isUnusable(new Response()), isUnusable(new Response(null))], [false, false]);
});

Deno.test("of what only looks like an answer, what it says of its stream decides", () => {
  const body = new ReadableStream();
  const response = { body, bodyUsed: false } as Response;
  assertEquals(isUnusable(response), false);
  body.getReader();
  assertEquals(isUnusable(response), true);
  assertEquals(isUnusable({ body: null, bodyUsed: true } as Response), true);
});
