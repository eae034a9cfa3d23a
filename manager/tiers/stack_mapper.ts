import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

/**
 * Maps stack traces to a plugin's own files, where the runtime does not do so by itself: for what
 * `vm.SourceTextModule` evaluates.
 *
 * It is done where an error leaves the plugin: what the plugin catches and prints itself is as V8
 * has it.
 */
export class StackMapper {
  readonly #frame: RegExp;
  readonly #url: string;
  readonly #text: Uint8Array | undefined;
  #map: TraceMap | undefined;

  /** Maps frames in the URL by a source map, if there is one. */
  constructor(url: string, sourceMap: Uint8Array | undefined) {
    this.#url = url;
    this.#text = sourceMap;
    this.#frame = new RegExp(`${RegExp.escape(url)}:(\\d+):(\\d+)`, "g");
  }

  /** Runs the function; what it throws, or rejects with, is mapped. */
  run<T>(fn: () => T): T {
    try {
      const result = fn();
      if (!(result instanceof Promise)) return result;
      return result.catch((error) => {
        throw this.map(error);
      }) as T;
    } catch (error) {
      throw this.map(error);
    }
  }

  /** Maps the trace of an error, and those of its causes; answers with the error itself. */
  map(thrown: unknown): unknown {
    try {
      const seen = new Set<unknown>();
      for (let each = thrown; each instanceof Error && !seen.has(each); each = each.cause) {
        seen.add(each);
        this.#mapOne(each);
      }
    } catch {
      // A frozen error, or a proxy that answers no question: its trace stays as it is.
    }
    return thrown;
  }

  #mapOne(error: Error): void {
    const { stack } = error;
    if (typeof stack !== "string" || !stack.includes(this.#url)) return;
    const value = stack.replaceAll(this.#frame, (frame, line, column) => {
      return this.#original(Number(line), Number(column)) ?? frame;
    });
    Object.defineProperty(error, "stack", { value, writable: true, configurable: true });
  }

  #original(line: number, column: number): string | undefined {
    if (!this.#text) return undefined;
    this.#map ??= new TraceMap(new TextDecoder().decode(this.#text), this.#url);
    const found = originalPositionFor(this.#map, { line, column: column - 1 });
    return found.source === null ? undefined : `${found.source}:${found.line}:${found.column + 1}`;
  }
}
