import { addScope, forgetScope, type PluginScope } from "./plugin_scope.ts";

/**
 * The scopes of one manager's plugins, from their load to the manager's end.
 *
 * Those of failed loads and retired generations are kept as well, since a timer of theirs may throw
 * later. Of these only the newest are kept one by one, or a plugin that fails for months would fill the
 * memory; the older ones of a version have one in common.
 */
export class ScopeKeeper {
  /** Of what is loading or loaded, however much that is. */
  readonly #held = new Set<PluginScope>();
  readonly #over = new Set<PluginScope>();
  /** Those in common, by the URL that they begin with. */
  readonly #common = new Map<string, PluginScope>();
  readonly #most: number;

  /** Keeps at most so many scopes of what is over one by one, and of so many versions besides. */
  constructor(most = 100) {
    this.#most = most;
  }

  /** Makes the code of a load known. */
  add(scope: PluginScope): void {
    addScope(scope);
    this.#held.add(scope);
  }

  /** Keeps it as one that is over: its load failed, or it was retired. */
  release(scope: PluginScope): void {
    if (!this.#held.delete(scope)) return;
    this.#over.add(scope);
    const [oldest] = this.#over;
    if (!oldest || this.#over.size <= this.#most) return;
    this.#over.delete(oldest);
    forgetScope(oldest);
    this.#addCommon(oldest);
  }

  /** Forgets them all. */
  close(): void {
    for (const all of [this.#held, this.#over, this.#common]) {
      for (const scope of all.values()) forgetScope(scope);
      all.clear();
    }
  }

  /**
   * The folders of a version differ in their last number only. Of versions only the newest are kept: a
   * scope has the source map with it, and a daemon that runs for months sees thousands.
   */
  #addCommon(scope: PluginScope): void {
    const directoryUrl = scope.directoryUrl.replace(/\d+\/$/, "");
    const common = this.#common.get(directoryUrl) ?? { ...scope, directoryUrl };
    // Anew where it is known already: it is the newest now.
    this.#common.delete(directoryUrl);
    this.#common.set(directoryUrl, common);
    addScope(common);
    const [oldest] = this.#common.values();
    if (!oldest || this.#common.size <= this.#most) return;
    this.#common.delete(oldest.directoryUrl);
    forgetScope(oldest);
  }
}
