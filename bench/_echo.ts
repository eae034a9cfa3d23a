import { Worker } from "node:worker_threads";
import { createBirpc } from "birpc";
import {
  decode,
  encode,
  encodeFrame,
  type Frame,
  FrameKind,
  FrameReader,
  type Packet,
} from "../plugin/mod.ts";

/** Sends a value and resolves to what comes back. */
export interface Echo extends AsyncDisposable {
  send(value: unknown): Promise<unknown>;
}

/** A process that echoes, over the channel and in the encoding of hotplug's calls, and nothing else. */
export function echoProcess(): Echo {
  const child = spawnEcho("_echo_process.ts");
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

/** A process that answers by birpc, over the same channel and in the same encoding. */
export function birpcProcess(): Echo {
  const child = spawnEcho("_birpc_process.ts");
  const writer = child.stdin.getWriter();
  const reader = new FrameReader(1);
  let receive: (frame: Frame) => void = () => {};
  const rpc = createBirpc<Remote, object>({}, {
    timeout: -1,
    serialize: encode,
    deserialize: decode,
    post: (packet) => {
      for (const piece of encodeFrame(1, FrameKind.message, { head: "", ...packet })) {
        void writer.write(piece);
      }
    },
    on: (listener) => receive = listener,
  });
  const reading = (async () => {
    for await (const bytes of child.stdout) {
      for (const frame of reader.push(bytes)) receive(frame);
    }
  })();
  return {
    send: (value) => rpc.echo(value),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await Promise.all([child.status, reading]);
    },
  };
}

function spawnEcho(script: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL(script, import.meta.url).href],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

/** A worker that echoes, likewise. */
export function echoWorker(): Echo {
  const { port, end } = startWorker("_echo_worker.ts");
  let answer: (packet: Packet) => void = () => {};
  port.onmessage = ({ data }: MessageEvent<Packet>) => answer(data);
  return {
    send(value) {
      const { promise, resolve } = Promise.withResolvers<Packet>();
      answer = resolve;
      port.postMessage(encode(value));
      return promise.then((packet) => decode(packet));
    },
    [Symbol.asyncDispose]: end,
  };
}

/** A worker that answers by birpc, likewise. */
export function birpcWorker(): Echo {
  const { port, end } = startWorker("_birpc_worker.ts");
  const rpc = createBirpc<Remote, object>({}, {
    timeout: -1,
    serialize: encode,
    deserialize: decode,
    post: (packet) => port.postMessage(packet),
    on: (listener) => port.onmessage = ({ data }: MessageEvent<Packet>) => listener(data),
  });
  return { send: (value) => rpc.echo(value), [Symbol.asyncDispose]: end };
}

interface Remote {
  echo(value: unknown): unknown;
}

function startWorker(
  script: string,
): { readonly port: MessagePort; readonly end: () => Promise<void> } {
  const worker = new Worker(new URL(script, import.meta.url));
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(port2, [port2] as never);
  const end = async (): Promise<void> => {
    port1.close();
    await worker.terminate();
  };
  return { port: port1, end };
}
