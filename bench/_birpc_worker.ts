/**
 * What birpc costs by itself: answers its calls over a port, in hotplug's encoding.
 *
 * @module
 */

import { createBirpc } from "birpc";
import { parentPort } from "node:worker_threads";
import { decode, encode, type Packet } from "../plugin/mod.ts";

parentPort?.once("message", (port: MessagePort) => {
  createBirpc<object, object>({ echo: (value: unknown) => value }, {
    timeout: -1,
    serialize: encode,
    deserialize: decode,
    post: (packet) => port.postMessage(packet),
    on: (listener) => port.onmessage = ({ data }: MessageEvent<Packet>) => listener(data),
  });
});
