import { mkdir } from "node:fs/promises";
import { join, normalize } from "@std/path";
import { HotplugError, sha256 } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import { findEntry } from "./entry.ts";
import { type Project, readProject, writeSettings } from "./project.ts";
import { type UnpackedSource, type UnpackOptions, unpackSource } from "../sources/source.ts";
import type { SourceLocation } from "../sources/source_location.ts";

/** Source trees by the bare specifier that stands for each. */
export type Dependencies = ReadonlyMap<string, SourceLocation>;

interface Dependency {
  readonly specifier: string;
  readonly folder: string;
  readonly root: string;
  readonly source: UnpackedSource;
}

const FOLDER = ".deps";

/** What Deno takes from the root of a workspace only, and would complain about in a member. */
const ROOT_ONLY: readonly string[] = [
  "allowScripts",
  "extends",
  "importMap",
  "links",
  "lock",
  "nodeModulesDir",
  "patch",
  "unstable",
  "vendor",
  "workspace",
];

/**
 * Unpacks further source trees beside a plugin's own, and maps a bare specifier to each. They become
 * members of the plugin's workspace, so that each is read by its own `deno.json`.
 *
 * Answers with the digest of them all, the plugin's own tree included.
 *
 * @throws {HotplugError} With code `source`, if one is not sound or the plugin's settings leave no
 * room for it.
 */
export async function addDependencies(
  dependencies: Dependencies,
  plugin: Pick<UnpackedSource, "root" | "sha256">,
  project: Project,
  options: Omit<UnpackOptions, "source" | "root">,
): Promise<string> {
  if (dependencies.size === 0) return plugin.sha256;
  checkRoom(project);
  await makeRoom(plugin.root);
  const imports: Record<string, string> = {};
  const folders: string[] = [];
  const digests: SourceDigests = new Map();
  for (const [specifier, location] of [...dependencies].sort(([a], [b]) => a < b ? -1 : 1)) {
    const folder = `${FOLDER}/${specifier}`;
    const root = join(plugin.root, folder);
    const source = await unpackSource({ ...options, source: location, root });
    Object.assign(imports, await importsOf({ specifier, folder, root, source }));
    folders.push(`./${folder}`);
    digests.set(specifier, source.sha256);
  }
  const { settings, config } = project;
  await writeSettings(plugin.root, config, {
    ...settings,
    imports: { ...recordOf(settings.imports), ...imports },
    workspace: [...membersOf(settings.workspace), ...folders],
  });
  return digestOfSources(plugin.sha256, digests);
}

/** The digests of further sources, by their specifiers. */
export type SourceDigests = Map<string, string>;

/** Answers with the digest of a plugin's source and all that is brought along with it. */
export function digestOfSources(plugin: string, dependencies: SourceDigests): string {
  if (dependencies.size === 0) return plugin;
  const sorted = [...dependencies].sort(([a], [b]) => a < b ? -1 : 1);
  return sha256([plugin, ...sorted.map((each) => each.join(" "))].join("\n"));
}

function checkRoom({ settings, config }: Project): void {
  if (settings.importMap === undefined) return;
  throw new HotplugError(
    "source",
    `Cannot bring further sources along: ${quote(config)} of the source has an "importMap"; put ` +
      `what it maps into "imports"`,
  );
}

async function makeRoom(root: string): Promise<void> {
  await mkdir(join(root, FOLDER)).catch((cause: unknown) => {
    throw new HotplugError(
      "source",
      `Cannot bring further sources along: the source has a ${quote(FOLDER)} of its own; rename it`,
      { cause },
    );
  });
}

/** What the plugin's import map says of one of them; its own settings are made fit for a member. */
async function importsOf(
  { specifier, folder, root, source }: Dependency,
): Promise<Record<string, string>> {
  const project = await readProject(root);
  const settings = Object.fromEntries(
    Object.entries(project.settings).filter(([name]) => !ROOT_ONLY.includes(name)),
  );
  await writeSettings(root, project.config, settings);
  const exports = { ...project.exports, ".": await findEntry(source, project, undefined) };
  return Object.fromEntries(
    Object.entries(exports).map(([name, path]) => [
      `${specifier}${name.slice(1)}`,
      `./${folder}/${normalize(path).replaceAll("\\", "/")}`,
    ]),
  );
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

function membersOf(workspace: unknown): unknown[] {
  const members = Array.isArray(workspace) ? workspace : recordOf(workspace).members;
  return Array.isArray(members) ? members : [];
}
