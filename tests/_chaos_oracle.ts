import type { Served } from "./_chaos_host.ts";

/** What the oracle knows of one artifact. */
interface Known {
  readonly scn: number;
  /** Whether it lies in a watched folder, whole. */
  present: boolean;
}

/** How long the state may take to be written, on a busy machine, in milliseconds. */
const MOMENT = 1_000;

/**
 * Knows what is to be served of each plugin: the newest good artifact, or a newer good one that was
 * served before it was deleted.
 */
export class Oracle {
  readonly #good = new Map<string, Map<number, Known>>();
  /** The newest that was seen to be served, and since when. */
  readonly #served = new Map<string, { readonly scn: number; readonly since: number }>();

  /** The plugins of which there was something good. */
  names(): string[] {
    return [...this.#good.keys()].sort();
  }

  /** A good artifact is about to come: it may be served from now on, and need not be yet. */
  begins(name: string, scn: number): void {
    let known = this.#good.get(name);
    if (!known) this.#good.set(name, known = new Map());
    known.set(scn, { scn, present: false });
  }

  /** A good artifact is there, whole. */
  published(name: string, scn: number): void {
    const known = this.#good.get(name)?.get(scn);
    if (known) known.present = true;
  }

  /** An artifact is gone. */
  deleted(name: string, scn: number): void {
    const known = this.#good.get(name)?.get(scn);
    if (known) known.present = false;
  }

  /** Whether the plugin was seen to be served. */
  wasServed(name: string): boolean {
    return this.#served.has(name);
  }

  /** The newest that was seen to be served; 0 for none. */
  lastServed(name: string): number {
    return this.#served.get(name)?.scn ?? 0;
  }

  /**
   * The daemon was killed: what it had loaded a moment before may not be in its state yet. That is made
   * up for by the artifact, and so not where that was deleted in the same moment.
   */
  killed(): void {
    for (const [name, { scn, since }] of this.#served) {
      const isThere = this.#good.get(name)?.get(scn)?.present;
      if (!isThere && performance.now() - since < MOMENT) this.#served.delete(name);
    }
  }

  /** Notes what was served in between; says what is wrong with it at any moment. */
  saw(name: string, { scn, answer }: Served): string | undefined {
    if (scn !== answer) return `${name}: a lease on ${scn} was answered by ${answer}`;
    if (!this.#good.get(name)?.has(scn)) return `${name}: ${scn} is served, and is no good`;
    return undefined;
  }

  /** Says what is wrong with what is served once all is quiet; undefined where nothing is. */
  judge(name: string, served: Served | undefined): string | undefined {
    const known = [...this.#good.get(name)?.values() ?? []];
    const newest = Math.max(0, ...known.filter(({ present }) => present).map(({ scn }) => scn));
    const least = Math.max(newest, this.lastServed(name));
    if (!served) return least > 0 ? `${name}: nothing is served, ${least} is to be` : undefined;
    const wrong = this.saw(name, served);
    if (wrong !== undefined) return wrong;
    if (served.scn < least) return `${name}: ${served.scn} is served, ${least} is to be`;
    // Newer than all that is there: one that was deleted before it was looked at, or after.
    if (served.scn !== this.lastServed(name)) {
      this.#served.set(name, { scn: served.scn, since: performance.now() });
    }
    return undefined;
  }
}
