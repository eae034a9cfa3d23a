import { mkdir, open } from "node:fs/promises";
import { join } from "@std/path";
import { UntarStream } from "@std/tar";
import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import { ANSWER_FILE, type BuildAnswer, parseBuildAnswer } from "../protocol/build_answer.ts";
import { readTarEntries } from "../sources/tar_entries.ts";

const MAX_ANSWER_BYTES = 4 * 1024 ** 3;
const MAX_HEAD_BYTES = 4 * 1024 ** 2;
const PIECES = 512;

/** An answer that has come, its files in a folder. */
export interface ReceivedAnswer {
  /** What the service says that it built. */
  readonly answer: BuildAnswer;
  /** The folder with the files. */
  readonly folder: string;
  /** How many bytes came. */
  readonly bytes: number;
}

/**
 * Saves an answer as it comes: the files that its first entry names, and no others.
 *
 * @throws {HotplugError} With code `remote`, if it is cut, too large, or no answer.
 */
export async function receiveAnswer(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  folder: string,
): Promise<ReceivedAnswer> {
  await mkdir(folder);
  let bytes = 0;
  const metered = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > MAX_ANSWER_BYTES) throw refusal(`it is larger than ${MAX_ANSWER_BYTES} bytes`);
      controller.enqueue(chunk);
    },
  });
  const entries = body.pipeThrough(metered).pipeThrough(new UntarStream());
  let answer: BuildAnswer | undefined;
  const wanted = new Set<string>();
  for await (const { path, size, content } of readTarEntries(entries)) {
    if (answer === undefined) {
      answer = await readHead(path, size, content);
      for (const name of filesOf(answer)) wanted.add(name);
    } else if (content !== undefined && wanted.delete(path)) {
      await save(content, join(folder, path));
    } else {
      throw refusal(`it holds ${quote(path)}, which it does not name`);
    }
  }
  if (answer === undefined) throw refusal("it is empty");
  const [missing] = wanted;
  if (missing !== undefined) throw refusal(`it names ${quote(missing)} and does not hold it`);
  return { answer, folder, bytes };
}

async function readHead(
  path: string,
  size: number,
  content: ReadableStream<Uint8Array> | undefined,
): Promise<BuildAnswer> {
  if (path !== ANSWER_FILE || content === undefined || size > MAX_HEAD_BYTES) {
    throw refusal(`it does not begin with ${ANSWER_FILE}`);
  }
  return parseBuildAnswer(await new Response(content).text());
}

function filesOf({ artifacts }: BuildAnswer): string[] {
  return artifacts.flatMap(({ file, info, sourceMap, content }) =>
    [file, info, sourceMap, content].filter((each) => each !== undefined)
  );
}

/** Written by many pieces at once: an entry comes in blocks of a tar's size. */
async function save(content: ReadableStream<Uint8Array>, path: string): Promise<void> {
  await using file = await open(path, "wx", 0o700);
  let pending: Uint8Array[] = [];
  for await (const chunk of content) {
    if (pending.push(chunk) < PIECES) continue;
    await file.writev(pending);
    pending = [];
  }
  if (pending.length > 0) await file.writev(pending);
}

function refusal(why: string): HotplugError {
  return new HotplugError("remote", `Cannot use the answer of the build service: ${why}`);
}
