import type { ErrorCode, HotplugError, Scn } from "../../artifact/mod.ts";
import type { ArtifactMarks } from "./artifact_marks.ts";
import type { Failure } from "./failure_log.ts";

/**
 * The files with the current generation's SCN that were looked at, by path: that itself, and what claims to
 * be it.
 */
export class TwinLog {
  readonly #seen = new Map<string, { readonly text: string; readonly conflict?: Failure }>();

  /** Whether none was. */
  get isEmpty(): boolean {
    return this.#seen.size === 0;
  }

  /** Whether the file was looked at in the state that it is in. */
  knows(path: string, { text }: ArtifactMarks): boolean {
    return this.#seen.get(path)?.text === text;
  }

  /** Notes a file as looked at. */
  add(path: string, { text }: ArtifactMarks): void {
    this.#seen.set(path, { text });
  }

  /** Notes what a file that was looked at was refused for. */
  refused(path: string, scn: Scn, { text, files }: ArtifactMarks, { code }: HotplugError): void {
    if (code !== "conflict") return;
    const marks = { text, files };
    const conflict = { path, scn, marks, attempts: 1, code, retryAt: Infinity };
    this.#seen.set(path, { text, conflict });
  }

  /** The files that have that SCN, and other content than it. */
  conflicts(scn: Scn): Failure[] {
    return [...this.#seen.values()].flatMap(({ conflict }) =>
      conflict?.scn === scn ? [conflict] : []
    );
  }

  /** Forgets all, but for the file that is current now. */
  begin(path: string, marks: ArtifactMarks): void {
    this.#seen.clear();
    this.add(path, marks);
  }
}

/** That it is loaded is known; what it does meanwhile is told as ever. */
export function isNewsOfTwin(code: ErrorCode): boolean {
  return code === "conflict" || code === "uncaught" || code === "exit";
}
