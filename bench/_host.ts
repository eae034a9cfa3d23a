/** A process that prints a line when a version is live. */
export class Host implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  /** Starts `deno run -A` with these arguments. */
  constructor(args: readonly string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", ...args],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads lines until one holds the text. */
  async until(text: string): Promise<void> {
    while (true) {
      const end = this.#rest.indexOf("\n");
      if (end < 0) {
        const { done, value } = await this.#lines.read();
        if (done) throw new Error(`The host ended before it printed "${text}"`);
        this.#rest += value;
        continue;
      }
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 1);
      if (line.includes(text)) return;
    }
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#lines.cancel();
  }
}
