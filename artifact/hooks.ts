/** The exports of a plugin that hotplug itself calls, in the order of a generation's life. */
export const HOOKS = [
  "activate",
  "handover",
  "health",
  "quiesce",
  "resume",
  "deactivate",
] as const satisfies readonly string[];

/** The name of a hook. */
export type Hook = typeof HOOKS[number];

const NAMES: ReadonlySet<string> = new Set(HOOKS);

/** Tells whether an export of this name is a hook, and so not a symbol. */
export function isHook(name: string): name is Hook {
  return NAMES.has(name);
}
