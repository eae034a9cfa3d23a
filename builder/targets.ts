import {
  ANY_TARGET,
  formatTarget,
  hostTarget,
  HotplugError,
  type Mode,
  parseTarget,
  type Target,
  TARGETS,
} from "../artifact/mod.ts";

/** The six platforms at once. */
const ALL = "all";
/** The platform that the build runs on. */
const HOST = "host";

/**
 * Reads the targets of a build: each once, in the given order. `all` stands for the six platforms,
 * `host` for the one that this process runs on.
 *
 * @throws {HotplugError} With code `target`, if a word is no target, or `any` is asked of an
 * executable.
 */
export function resolveTargets(
  wanted: readonly (string | Target)[],
  mode: Mode,
): readonly Target[] {
  const targets = wanted.flatMap(readTarget);
  if (targets.length === 0) targets.push(mode === "module" ? ANY_TARGET : hostTarget());
  const unique = new Map(targets.map((target) => [formatTarget(target), target]));
  if (mode === "executable" && unique.has(formatTarget(ANY_TARGET))) {
    throw new HotplugError(
      "target",
      "Cannot compile an executable for any: it runs on one platform only; name it, as " +
        "linux/amd64, or say all or host",
    );
  }
  return [...unique.values()];
}

/** Reads one word of a person; more than one target if it is `all`. */
export function readTarget(wanted: string | Target): readonly Target[] {
  if (typeof wanted !== "string") return [parseTarget(formatTarget(wanted))];
  switch (wanted.trim().toLowerCase()) {
    case ALL:
      return TARGETS;
    case HOST:
      return [hostTarget()];
    default:
      return [parseTarget(wanted)];
  }
}
