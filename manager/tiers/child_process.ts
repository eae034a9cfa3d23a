import { type ErrorCode, HotplugError } from "../../artifact/mod.ts";
import {
  type ChildHello,
  Connection,
  encodeFrame,
  type Frame,
  FrameKind,
  FrameReader,
  HELLO_MARK,
  type HostHello,
  LogBudget,
  type LogRecord,
  markOf,
  type Message,
  PROTOCOL_VERSIONS,
} from "../../plugin/mod.ts";
import type { Runner, RunnerEvents } from "./runner.ts";

/** How to start a process that runs a plugin. */
export interface ChildCommand {
  /** What it is, for messages: `plugin "pricing" (SCN 20261123014512)`. */
  readonly label: string;
  /** The plugin's name. */
  readonly name: string;
  /** The program. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** So much of what a process writes to its standard error is kept for the message about its end. */
const KEPT_STDERR = 8 * 1024;

/** So much may wait for a process to read it, in bytes, before calls are refused. */
const MAX_QUEUE = 128 * 1024 * 1024;

/** How long the streams of a process that has ended are read on, in milliseconds. */
const STREAM_GRACE = 500;

type Bytes = ReadableStreamDefaultReader<Uint8Array>;

/** A process that runs a plugin, from its start to its end. */
export class ChildProcess implements Runner {
  readonly connection: Connection;
  readonly ended: Promise<HotplugError>;
  readonly #command: ChildCommand;
  readonly #events: RunnerEvents;
  readonly #process: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #cookie = randomHex(16);
  readonly #reader = new FrameReader(HELLO_MARK);
  readonly #hello = Promise.withResolvers<ChildHello>();
  readonly #logs = new LogBudget(undefined, { perSecond: 1024 * 1024, burst: 4 * 1024 * 1024 });
  #queued = 0;
  #mark = HELLO_MARK;
  #stderr = "";
  #reason: HotplugError | undefined;

  /**
   * Starts it.
   *
   * @throws {HotplugError} `io` where it can't be started.
   */
  constructor(command: ChildCommand, events: RunnerEvents) {
    this.#command = command;
    this.#events = events;
    this.#process = spawn(command);
    this.#stdin = this.#process.stdin.getWriter();
    // That it reads no more is told by its end.
    this.#stdin.closed.catch(() => {});
    this.connection = new Connection(
      new Map([["late", (what: string, error: unknown) => events.late(what, error)]]),
      (packet) => this.#send(FrameKind.message, packet),
    );
    this.#hello.promise.catch(() => {});
    this.ended = this.#run();
  }

  /** Its process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /**
   * Greets it, and resolves once it has answered.
   *
   * @throws {HotplugError} `protocol` where both speak no common version, or it does not speak at all.
   */
  async greet(versions: readonly number[] = PROTOCOL_VERSIONS): Promise<void> {
    const hello: HostHello = { cookie: this.#cookie, versions, name: this.#command.name };
    this.#send(FrameKind.hello, { head: "", text: JSON.stringify(hello), buffers: [] });
    const answer = await this.#hello.promise;
    if (answer.version !== undefined && versions.includes(answer.version)) return;
    throw this.#error(
      "protocol",
      `it speaks versions ${answer.versions} of the call protocol, this host ${versions}; ` +
        "build it again with this version of hotplug",
    );
  }

  memory(): number | undefined {
    if (Deno.build.os !== "linux") return undefined;
    // Asked first: nobody is to be prompted for this. For all processes at once, since Deno keeps each
    // answer for good.
    const { state } = Deno.permissions.querySync({ name: "read", path: "/proc" });
    if (state !== "granted") return undefined;
    try {
      const pages = Deno.readTextFileSync(`/proc/${this.pid}/statm`).split(" ")[1];
      return Number(pages) * 4096;
    } catch {
      return undefined;
    }
  }

  kill(reason: HotplugError): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#hello.reject(reason);
    this.connection.close(() => reason);
    this.#killGroup();
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It ended by itself a moment ago.
    }
  }

  /** What it has started in turn ends with it; without the right to do so, it is left alone. */
  #killGroup(): void {
    if (Deno.build.os === "windows") return;
    // Asked first: nobody is to be prompted for this.
    if (Deno.permissions.querySync({ name: "run" }).state !== "granted") return;
    try {
      Deno.kill(-this.pid, "SIGKILL");
    } catch {
      // Nobody is left in it.
    }
  }

  /** Reads to the end; resolves with why it ended. */
  async #run(): Promise<HotplugError> {
    const [stdout, stderr] = [this.#process.stdout.getReader(), this.#process.stderr.getReader()];
    const reading = Promise.all([this.#readFrames(stdout), this.#readStderr(stderr)]);
    const status = await this.#process.status;
    if (!this.#reason) this.#killGroup();
    // A process that it has started in turn may hold its streams open for long.
    const grace = setTimeout(() => {
      stdout.cancel().catch(() => {});
      stderr.cancel().catch(() => {});
    }, STREAM_GRACE);
    await reading;
    clearTimeout(grace);
    await this.#stdin.close().catch(() => {});
    const reason = this.#reason ??= this.#crash(status);
    this.#hello.reject(reason);
    this.connection.close(() => this.#again(reason));
    return reason;
  }

  async #readFrames(stdout: Bytes): Promise<void> {
    try {
      while (true) {
        const { done, value } = await stdout.read();
        if (done) return;
        // What comes after its end was decided on is read to empty the pipe.
        if (this.#reason) continue;
        for (const frame of this.#reader.push(value)) this.#receive(frame);
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.kill(this.#error("protocol", why, error));
    }
  }

  #receive(frame: Frame): void {
    if (this.#reason) return;
    if (this.#mark === HELLO_MARK) return this.#receiveHello(frame);
    if (frame.kind === FrameKind.message) this.connection.receive(frame);
    else if (frame.kind === FrameKind.log) this.#receiveLog(frame);
    else throw new TypeError("it greets a second time");
  }

  #receiveHello({ kind, text }: Frame): void {
    const hello: ChildHello = kind === FrameKind.hello ? JSON.parse(text) : {};
    if (hello.cookie !== this.#cookie) throw new TypeError("it does not answer the greeting");
    this.#mark = markOf(this.#cookie);
    this.#reader.expect(this.#mark);
    this.#hello.resolve(hello);
  }

  /** The child keeps to a budget of its own, unless the plugin has got at it. */
  #receiveLog({ text }: Frame): void {
    if (!this.#logs.take(text.length)) return;
    const record: LogRecord = JSON.parse(text);
    const told = Number.isSafeInteger(record.dropped) ? record.dropped ?? 0 : 0;
    const dropped = Math.max(0, told) + this.#logs.takeDropped();
    this.#events.log({ ...record, ...(dropped > 0 && { dropped }) });
    if (dropped > 0) this.#events.flooded(dropped);
  }

  async #readStderr(stderr: Bytes): Promise<void> {
    const decoder = new TextDecoder();
    while (true) {
      const { done, value } = await stderr.read();
      if (done) return;
      const text = decoder.decode(value.subarray(-KEPT_STDERR), { stream: true });
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR);
    }
  }

  #send(kind: FrameKind, message: Message): void {
    if (this.#queued > MAX_QUEUE) {
      throw this.#error("busy", `${this.#queued} bytes wait for it to read them; call it less`);
    }
    for (const piece of encodeFrame(this.#mark, kind, message)) {
      this.#queued += piece.length;
      this.#stdin.write(piece).then(
        () => void (this.#queued -= piece.length),
        // It reads no more, and so it ends: that is told then.
        () => {},
      );
    }
  }

  #crash({ code, signal }: Deno.CommandStatus): HotplugError {
    const how = signal ? `was killed by ${signal}` : `ended with code ${code}`;
    const outOfMemory = /out of memory|heap limit/i.test(this.#stderr);
    const stderr = this.#stderr.trim();
    const cause = stderr === ""
      ? undefined
      : new Error(`Standard error of the process:\n${stderr}`);
    const memory = outOfMemory ? ", out of memory" : "";
    return this.#error("crashed", `its process ${how}${memory}`, cause);
  }

  #again({ code, message, cause }: HotplugError): HotplugError {
    return new HotplugError(code, message, { cause });
  }

  #error(code: ErrorCode, why: string, cause?: unknown): HotplugError {
    const { label } = this.#command;
    return new HotplugError(code, `The process of ${label} failed: ${why}`, { cause });
  }
}

function spawn({ label, program, args, env }: ChildCommand): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      env: { ...env },
      clearEnv: true,
      // Of a group of its own: ctrl-c at a terminal is for the host, which ends it once it is drained,
      // with all in it.
      detached: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    throw new HotplugError(
      "io",
      `Cannot start a process for ${label}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}
