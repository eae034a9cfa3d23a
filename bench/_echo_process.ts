/**
 * The floor of a call to a process: reads a value from standard input, and writes it back.
 *
 * @module
 */

import { Socket } from "node:net";
import { decode, encode, encodeFrame, FrameKind, FrameReader } from "../plugin/mod.ts";

const reader = new FrameReader(1);
const socket = new Socket({ fd: 0, readable: true, writable: false });
socket.on("data", (bytes: Uint8Array) => {
  for (const frame of reader.push(bytes)) {
    for (const piece of encodeFrame(1, FrameKind.message, { head: "", ...encode(decode(frame)) })) {
      for (let offset = 0; offset < piece.length;) {
        offset += Deno.stdout.writeSync(piece.subarray(offset));
      }
    }
  }
});
