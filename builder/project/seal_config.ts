import { isAbsolute, normalize } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";

type Settings = Readonly<Record<string, unknown>>;

/**
 * Checks that no setting of a source's `deno.json` leads out of the source, and answers with the
 * settings that a build uses: without `allowScripts`, for nothing of a plugin runs while it is built.
 *
 * @throws {HotplugError} With code `source`, naming the setting.
 */
export function sealConfig(file: string, settings: Settings): Settings {
  const { allowScripts: _, ...rest } = settings;
  for (const [setting, path] of pathsIn(settings)) {
    if (staysInside(path)) continue;
    throw new HotplugError(
      "source",
      `Cannot use the setting ${quote(setting)} in ${quote(file)} of the source: ${quote(path)} ` +
        `lies outside of it; put the file into the source`,
    );
  }
  return "allowScripts" in settings ? rest : settings;
}

function* pathsIn(settings: Settings): Generator<[setting: string, path: string]> {
  const { lock, workspace } = settings;
  for (const setting of ["importMap", "extends", "links", "patch"]) {
    for (const path of textsIn(settings[setting])) yield [setting, path];
  }
  for (const path of textsIn(fieldOf(lock, "path") ?? lock)) yield ["lock", path];
  for (const path of textsIn(fieldOf(workspace, "members") ?? workspace)) yield ["workspace", path];
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[field]
    : undefined;
}

function textsIn(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === "string");
}

function staysInside(path: string): boolean {
  const clean = normalize(path.replaceAll("\\", "/"));
  const isAddress = /^[a-z][a-z0-9+.-]*:/i.test(path);
  return !isAbsolute(path) && !isAddress && clean !== ".." && !/^\.\.[/\\]/.test(clean);
}
