/**
 * The floor of a call to a worker: takes a value from a port, and posts it back.
 *
 * @module
 */

import { parentPort } from "node:worker_threads";
import { decode, encode, type Packet } from "../plugin/mod.ts";

parentPort?.once("message", (port: MessagePort) => {
  port.onmessage = ({ data }: MessageEvent<Packet>) => port.postMessage(encode(decode(data)));
});
