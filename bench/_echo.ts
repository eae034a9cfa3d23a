import { Worker } from "node:worker_threads";
import { decode, encode, encodeFrame, FrameKind, FrameReader, type Packet } from "../plugin/mod.ts";

/** Sends a value and resolves to what comes back. */
export interface Echo extends AsyncDisposable {
  send(value: unknown): Promise<unknown>;
}

/** A process that echoes, over the channel and in the encoding of hotplug's calls, and nothing else. */
export function echoProcess(): Echo {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("./_echo_process.ts", import.meta.url).href],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const stdout = child.stdout[Symbol.asyncIterator]();
  const reader = new FrameReader(1);
  return {
    async send(value) {
      for (const piece of encodeFrame(1, FrameKind.message, { head: "", ...encode(value) })) {
        await writer.write(piece);
      }
      for (;;) {
        const { done, value: bytes } = await stdout.next();
        if (done) throw new Error("The echo has ended");
        for (const frame of reader.push(bytes)) return decode(frame);
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await stdout.return?.();
    },
  };
}

/** A worker that echoes, likewise. */
export function echoWorker(): Echo {
  const worker = new Worker(new URL("./_echo_worker.ts", import.meta.url));
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port2, [port2] as never);
  let answer: (packet: Packet) => void = () => {};
  port1.onmessage = ({ data }: MessageEvent<Packet>) => answer(data);
  return {
    send(value) {
      const { promise, resolve } = Promise.withResolvers<Packet>();
      answer = resolve;
      port1.postMessage(encode(value));
      return promise.then((packet) => decode(packet));
    },
    async [Symbol.asyncDispose]() {
      port1.close();
      await worker.terminate();
    },
  };
}
