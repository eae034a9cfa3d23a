import { fromFileUrl } from "@std/path";

type Line = Readonly<Record<string, unknown>>;

/** The shop as a process, and as what it prints and answers. */
export class Shop implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #waiting = new Map<string, (line: Line) => void>();
  readonly #reading: Promise<void>;
  #port = 0;

  private constructor(directory: string) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", fromFileUrl(new URL("./shop.ts", import.meta.url)), directory],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  /** Starts it; resolves once it listens. */
  static async start(directory: string): Promise<Shop> {
    const shop = new Shop(directory);
    const { port } = await shop.event("listening");
    shop.#port = Number(port);
    return shop;
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#port;
  }

  /** The next line of the type; fails after 20 seconds. */
  event(type: string): Promise<Line> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`The shop printed no "${type}" within 20 s`));
      const timer = setTimeout(late, 20_000);
      this.#waiting.set(type, (line) => {
        clearTimeout(timer);
        resolve(line);
      });
    });
  }

  /** Asks it; answers with the JSON of the answer, an error's too. */
  async get(path: string, query = ""): Promise<Line> {
    return await (await fetch(`http://127.0.0.1:${this.#port}/${path}?${query}`)).json();
  }

  /** The same by POST. */
  async post(path: string, query = ""): Promise<Line> {
    const url = `http://127.0.0.1:${this.#port}/${path}?${query}`;
    return await (await fetch(url, { method: "POST" })).json();
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill(Deno.build.os === "windows" ? "SIGINT" : "SIGTERM");
    await this.#reading;
    await this.#process.status;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const text of lines) {
        const line = JSON.parse(text) as Line;
        const type = String(line.type);
        this.#waiting.get(type)?.(line);
        this.#waiting.delete(type);
      }
    }
  }
}
