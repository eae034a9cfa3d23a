/**
 * What birpc costs by itself: answers its calls over standard input and output, in hotplug's encoding.
 *
 * @module
 */

import { createBirpc } from "birpc";
import { Socket } from "node:net";
import { decode, encode, encodeFrame, type Frame, FrameKind, FrameReader } from "../plugin/mod.ts";

const reader = new FrameReader(1);
let receive: (frame: Frame) => void = () => {};
createBirpc<object, object>({ echo: (value: unknown) => value }, {
  timeout: -1,
  serialize: encode,
  deserialize: decode,
  post: (packet) => {
    for (const piece of encodeFrame(1, FrameKind.message, { head: "", ...packet })) {
      for (let offset = 0; offset < piece.length;) {
        offset += Deno.stdout.writeSync(piece.subarray(offset));
      }
    }
  },
  on: (listener) => receive = listener,
});
const socket = new Socket({ fd: 0, readable: true, writable: false });
socket.on("data", (bytes: Uint8Array) => {
  for (const frame of reader.push(bytes)) receive(frame);
});
