import { captureOutput } from "./capture_output.ts";
import { childLog } from "./child_log.ts";
import { Connection } from "./connection.ts";
import { catchLateErrors } from "./late_errors.ts";
import { fromPort, type PortMessage, toPort } from "./port_message.ts";
import { type ImportModule, serveModule } from "./serve_module.ts";

/** What a host posts to its worker first: the worker's end of the calls. */
export interface WorkerHello {
  /** The port that the calls come by. */
  readonly hotplug: MessagePort;
}

/** Makes this worker the host of one plugin: calls come by the port. */
export function serveWorker(port: MessagePort, importModule: ImportModule): void {
  const post = port.postMessage.bind(port);
  const log = childLog((record) => post({ log: record } satisfies PortMessage));
  const connection = new Connection(
    serveModule(importModule, log),
    (message) => post(toPort(message)),
  );
  captureOutput(log);
  announceExit((code) => post({ exit: code } satisfies PortMessage));
  catchLateErrors((what, error) => connection.notify("late", what, error));
  port.onmessage = ({ data }: MessageEvent<PortMessage>) => {
    if (typeof data === "string") connection.receive(fromPort(data));
    else if ("message" in data) connection.receive(data.message);
  };
}

/** In a worker `Deno.exit` returns, and the worker goes on to the end of its turn: it is told before. */
function announceExit(tell: (code: number) => void): void {
  const exit = Deno.exit.bind(Deno);
  Object.defineProperty(Deno, "exit", {
    configurable: true,
    value(code?: number): never {
      tell(Number(code ?? 0));
      return exit(code);
    },
  });
}
