import { addScope, forgetScope, type PluginScope } from "./plugin_scope.ts";

/**
 * The scopes of one manager's plugins, from their load to the manager's end.
 *
 * Those of failed loads and retired generations are kept as well, since a timer of theirs may throw
 * later; of these only the newest, or a plugin that fails for months would fill the memory.
 */
export class ScopeKeeper {
  readonly #loading = new Set<PluginScope>();
  readonly #loaded = new Set<PluginScope>();
  readonly #most: number;

  /** Keeps at most so many scopes of loads that failed. */
  constructor(most = 100) {
    this.#most = most;
  }

  /** Makes the code of a load known. */
  add(scope: PluginScope): void {
    addScope(scope);
    this.#remember(scope);
  }

  /** Keeps the scope for good: its load succeeded. */
  keep(scope: PluginScope): void {
    this.#loading.delete(scope);
    this.#loaded.add(scope);
  }

  /** Keeps it as one whose load failed: what was retired may still have a timer, too. */
  release(scope: PluginScope): void {
    if (this.#loaded.delete(scope)) this.#remember(scope);
  }

  /** Forgets them all. */
  close(): void {
    for (const scope of [...this.#loading, ...this.#loaded]) forgetScope(scope);
    this.#loading.clear();
    this.#loaded.clear();
  }

  #remember(scope: PluginScope): void {
    this.#loading.add(scope);
    if (this.#loading.size <= this.#most) return;
    for (const oldest of this.#loading) {
      forgetScope(oldest);
      this.#loading.delete(oldest);
      break;
    }
  }
}
