import { fromFileUrl } from "@std/path";
import type { DaemonEvent } from "../daemon/mod.ts";
import { within } from "./_cli.ts";

/** What it tells. */
export type HostEvent = DaemonEvent | { readonly type: "serving"; readonly port: number };

/** What a call is answered with. */
export interface Served {
  /** The SCN of the generation that was held. */
  readonly scn: number;
  /** What its module says of itself. */
  readonly answer: number;
}

/** How a call ended. */
export type CallResult =
  | { readonly type: "served"; readonly served: Served }
  | { readonly type: "refused"; readonly code: string; readonly message: string }
  /** The connection broke, or there was none. */
  | { readonly type: "gone"; readonly message: string };

const PATIENCE = 30_000;

/** A host in a process of its own. */
export class HostProcess {
  readonly #child: Deno.ChildProcess;
  readonly #serving = Promise.withResolvers<number>();
  readonly #ended: Promise<void>;
  readonly #listener: (event: HostEvent) => void;
  #stderr = "";
  #port = 0;

  private constructor(setting: unknown, tmp: string, listener: (event: HostEvent) => void) {
    this.#listener = listener;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--v8-flags=--no-compilation-cache",
        fromFileUrl(new URL("chaos_host.ts", import.meta.url)),
        JSON.stringify(setting),
      ],
      env: { TMPDIR: tmp, NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#serving.promise.catch(() => {});
    this.#ended = Promise.all([this.#read(), this.#readErrors(), this.#child.status]).then(() =>
      this.#serving.reject(new Error(`The host ended before it served: ${this.#stderr}`))
    );
  }

  /** Starts one, and waits until it serves. */
  static async start(
    setting: unknown,
    tmp: string,
    listener: (event: HostEvent) => void,
  ): Promise<HostProcess> {
    const host = new HostProcess(setting, tmp, listener);
    try {
      host.#port = await within(PATIENCE, host.#serving.promise, () => "it did not serve");
    } catch (error) {
      await host.end("SIGKILL");
      throw error;
    }
    return host;
  }

  /** What it wrote to standard error. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Calls the plugin. */
  async call(name: string): Promise<CallResult> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#port}/call/${name}`);
      const body = await response.json();
      return response.ok ? { type: "served", served: body } : { type: "refused", ...body };
    } catch (error) {
      return { type: "gone", message: String(error) };
    }
  }

  /** Lets a version out of quarantine. */
  async release(name: string, scn: number): Promise<void> {
    await (await fetch(`http://127.0.0.1:${this.#port}/release/${name}/${scn}`)).body?.cancel();
  }

  /** Sends it a signal. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Ends it by the signal. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended already.
    }
    await within(PATIENCE, this.#ended, () => `it did not end by ${signal}`);
    await this.#child.stdin.close().catch(() => {});
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (!line.startsWith("{")) continue;
        const event: HostEvent = JSON.parse(line);
        if (event.type === "serving") this.#serving.resolve(event.port);
        this.#listener(event);
      }
    }
  }

  async #readErrors(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
    }
  }
}
