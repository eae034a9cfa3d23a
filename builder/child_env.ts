import { HotplugError } from "../artifact/mod.ts";
import { quote } from "./quote.ts";

/** What every Deno that a build starts is told. */
const OWN: Readonly<Record<string, string>> = {
  NO_COLOR: "1",
  RUST_BACKTRACE: "0",
  DENO_NO_UPDATE_CHECK: "1",
};

/**
 * Checks variables for the child processes of a build.
 *
 * @throws {HotplugError} With code `options`, if a name or a value can't be one.
 */
export function checkEnv(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(env)) {
    const sound = name !== "" && !/[=\0]/.test(name) && typeof value === "string" &&
      !value.includes("\0");
    if (sound) continue;
    throw new HotplugError(
      "options",
      `Cannot build with the variable ${quote(name)}: a name takes no "=" and no NUL, a value is ` +
        `a text without NUL`,
    );
  }
  return { ...env };
}

/** The variables that a child has beyond those of this process. */
export function childEnv(env: Readonly<Record<string, string>>): Record<string, string> {
  // Older Denos trust only the certificates that they bring along: behind a proxy that has its own
  // they would reach no registry.
  const DENO_TLS_CA_STORE = Deno.env.get("DENO_TLS_CA_STORE") ?? "mozilla,system";
  return { DENO_TLS_CA_STORE, ...env, ...OWN };
}
