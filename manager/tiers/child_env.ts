import type { ResolvedTierSettings } from "../settings/tier_settings.ts";

/** What every process that runs a plugin is told. */
const OWN: Readonly<Record<string, string>> = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };

/** All variables of a process that runs a plugin: what the host lists, and no more. */
export function childEnv(env: ResolvedTierSettings["env"]): Record<string, string> {
  // Without these no program runs there.
  const needed = Deno.build.os === "windows" ? ["SystemRoot", "TEMP", "TMP"] : [];
  const listed = isList(env) ? pick([...needed, ...env]) : { ...pick(needed), ...env };
  return { ...OWN, ...listed };
}

/** As {@linkcode childEnv}, with all that this process has and may know. */
export function wholeEnv(): Record<string, string> {
  try {
    return { ...Deno.env.toObject(), ...OWN };
  } catch {
    return childEnv([]);
  }
}

function isList(env: ResolvedTierSettings["env"]): env is readonly string[] {
  return Array.isArray(env);
}

function pick(names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(
    entries.filter((each): each is [string, string] => each[1] !== undefined),
  );
}
