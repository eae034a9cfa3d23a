import { writeFile } from "node:fs/promises";
import { join } from "@std/path";
import { create } from "tar";
import { ANSWER_FILE, type BuildAnswer } from "./build_answer.ts";

/**
 * Answers with what was built: a tar, read from the disk as it is sent.
 *
 * @param signal Breaks it off
 */
export async function answerTar(
  answer: BuildAnswer,
  folder: string,
  signal: AbortSignal,
): Promise<Response> {
  await writeFile(join(folder, ANSWER_FILE), JSON.stringify(answer), { flag: "wx" });
  const small = answer.artifacts.flatMap(({ info, sourceMap, content }) =>
    [info, sourceMap, content].filter((file) => file !== undefined)
  );
  const files = [ANSWER_FILE, ...small, ...answer.artifacts.map(({ file }) => file)];
  const packed = create({ cwd: folder, portable: true }, files);
  return new Response(streamOf(packed, signal), {
    headers: { "content-type": "application/x-tar", "cache-control": "no-store" },
  });
}

function streamOf(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    start(controller) {
      signal.addEventListener("abort", () => controller.error(signal.reason), { once: true });
    },
    async pull(controller) {
      const { value, done } = await iterator.next();
      if (signal.aborted) return;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
