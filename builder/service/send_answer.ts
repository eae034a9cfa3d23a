import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "@std/path";
import { Header } from "tar/header";
import { Pax } from "tar/pax";
import { ANSWER_FILE, type BuildAnswer } from "../protocol/build_answer.ts";

const BLOCK = 512;
const PIECES = { highWaterMark: 1024 * 1024 };

/** Answers with what was built: a tar, read from the disk as it is sent. */
export function answerTar(answer: BuildAnswer, folder: string): Response {
  return new Response(ReadableStream.from(tarOf(answer, folder)), {
    headers: { "content-type": "application/x-tar", "cache-control": "no-store" },
  });
}

/** Written by hand around the headers: who breaks it off must not leave a file open. */
async function* tarOf(answer: BuildAnswer, folder: string): AsyncGenerator<Uint8Array> {
  const head = new TextEncoder().encode(JSON.stringify(answer));
  yield* headerOf(ANSWER_FILE, head.byteLength);
  yield head;
  yield padding(head.byteLength);
  const small = answer.artifacts.flatMap(({ info, sourceMap, content }) =>
    [info, sourceMap, content].filter((file) => file !== undefined)
  );
  for (const file of [...small, ...answer.artifacts.map(({ file }) => file)]) {
    const path = join(folder, file);
    const { size } = await stat(path);
    yield* headerOf(file, size);
    yield* createReadStream(path, PIECES);
    yield padding(size);
  }
  yield new Uint8Array(BLOCK * 2);
}

/** Long names need a header of their own before the usual one. */
function* headerOf(path: string, size: number): Generator<Uint8Array> {
  const header = new Header({ path, size, type: "File", mode: 0o644, mtime: new Date(0) });
  if (header.encode()) yield new Pax({ path, size }).encode();
  yield header.block ?? new Uint8Array(BLOCK);
}

function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - size % BLOCK) % BLOCK);
}
