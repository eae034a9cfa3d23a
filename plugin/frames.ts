import { HotplugError } from "../artifact/errors.ts";
import { joinMessage, type Message, splitMessage } from "./message.ts";
import { FRAME_LIMIT, FrameKind } from "./protocol.ts";

/*
 * A frame: the stream's mark (4 bytes), the length of the rest (4), its kind (1), the number of
 * buffers (4), the lengths of the text and of each buffer (4 each), the text in UTF-8, the buffers. The
 * text is the message's head, a line feed, and its value.
 * Numbers are big-endian.
 */

/** What frames of the handshake begin with: "HPLG". */
export const HELLO_MARK = 0x48504c47;

const HEAD = 8;
const FIXED = HEAD + 1 + 4 + 4;

/** Up to this size a frame is written in one piece. */
const ONE_PIECE = 256 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** One frame, read. */
export interface Frame extends Message {
  /** What it holds. */
  readonly kind: FrameKind;
}

/** The mark that frames carry after the handshake: the cookie's first 4 bytes. */
export function markOf(cookie: string): number {
  return Number.parseInt(cookie.slice(0, 8), 16);
}

/**
 * Writes a frame, in pieces to be sent one after the other.
 *
 * @throws {HotplugError} `limit` where it is larger than {@linkcode FRAME_LIMIT}.
 */
export function encodeFrame(
  mark: number,
  kind: FrameKind,
  message: Message,
): Uint8Array<ArrayBuffer>[] {
  const { buffers } = message;
  const text = encoder.encode(joinMessage(message));
  const head = new Uint8Array(FIXED + 4 * buffers.length);
  const total = buffers.reduce(
    (sum, each) => sum + each.byteLength,
    head.length + text.length,
  );
  if (total - HEAD > FRAME_LIMIT) throw tooLarge(total - HEAD);
  const view = new DataView(head.buffer);
  view.setUint32(0, mark);
  view.setUint32(4, total - HEAD);
  view.setUint8(8, kind);
  view.setUint32(9, buffers.length);
  view.setUint32(13, text.length);
  buffers.forEach((each, at) => view.setUint32(FIXED + 4 * at, each.byteLength));
  const pieces = [head, text, ...buffers.map((each) => new Uint8Array(each))];
  return total <= ONE_PIECE ? [join(pieces, total)] : pieces;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  #mark: number;
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** Reads frames that begin with the mark. */
  constructor(mark: number) {
    this.#mark = mark;
  }

  /** What the next frames begin with. */
  expect(mark: number): void {
    this.#mark = mark;
  }

  /**
   * Takes bytes and answers with the frames that are whole now; the bytes are not kept.
   *
   * @throws {HotplugError} `protocol` for what is no frame, or one past the limit.
   */
  *push(bytes: Uint8Array): Generator<Frame> {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    while (this.#length >= HEAD) {
      const size = HEAD + this.#bodyLength();
      if (this.#length < size) break;
      const frame = this.#take(size);
      yield readFrame(frame);
    }
    // The caller uses its buffer again.
    if (this.#chunks.at(-1)?.buffer === bytes.buffer) {
      this.#chunks.push(new Uint8Array(this.#chunks.pop() ?? []));
    }
  }

  #bodyLength(): number {
    let first = this.#chunks[0] as Uint8Array;
    if (first.length < HEAD) this.#chunks = [first = join(this.#chunks, this.#length)];
    const view = new DataView(first.buffer, first.byteOffset, HEAD);
    if (view.getUint32(0) !== this.#mark) throw noFrame(first);
    const length = view.getUint32(4);
    if (length > FRAME_LIMIT) throw tooLarge(length, "protocol");
    if (length < FIXED - HEAD) throw noFrame(first);
    return length;
  }

  #take(size: number): Uint8Array {
    const [first] = this.#chunks;
    const all = this.#chunks.length === 1 ? first as Uint8Array : join(this.#chunks, this.#length);
    this.#chunks = all.length > size ? [all.subarray(size)] : [];
    this.#length = all.length - size;
    return all.subarray(0, size);
  }
}

function readFrame(frame: Uint8Array): Frame {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const kind = view.getUint8(8);
  const count = view.getUint32(9);
  let offset = FIXED + 4 * count;
  if (kind > FrameKind.log || offset > frame.length) throw noFrame(frame);
  const part = (length: number): Uint8Array => {
    const end = offset + length;
    if (end > frame.length) throw noFrame(frame);
    const bytes = frame.subarray(offset, end);
    offset = end;
    return bytes;
  };
  const text = readText(part(view.getUint32(13)), frame);
  const buffers: ArrayBuffer[] = [];
  for (let at = 0; at < count; at++) {
    buffers.push(new Uint8Array(part(view.getUint32(FIXED + 4 * at))).buffer);
  }
  if (offset !== frame.length) throw noFrame(frame);
  return { kind: kind as FrameKind, ...splitMessage(text), buffers };
}

function readText(bytes: Uint8Array, frame: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw noFrame(frame);
  }
}

function join(pieces: readonly Uint8Array[], total: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

function noFrame(bytes: Uint8Array): HotplugError {
  const begin = new TextDecoder().decode(bytes.subarray(0, 40));
  return new HotplugError(
    "protocol",
    `The stream of calls holds bytes that are no frame: ${JSON.stringify(begin)}; ` +
      "a plugin prints by console or process.stdout, not to file descriptor 1",
  );
}

function tooLarge(length: number, code: "limit" | "protocol" = "limit"): HotplugError {
  return new HotplugError(
    code,
    `A frame of ${length} bytes is larger than the limit of ${FRAME_LIMIT}; ` +
      "send large values in parts, by an async iterable",
  );
}
