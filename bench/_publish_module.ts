import { join } from "@std/path";
import {
  type ArtifactName,
  formatArtifactName,
  formatInfo,
  infoFileName,
  type Scn,
  sha256,
} from "../artifact/mod.ts";

/** Publishes a module that answers to `answer`: the artifact first; the answer is what it wrote. */
export async function publishModule(
  directory: string,
  name: string,
  scn: Scn,
  source: string,
): Promise<string[]> {
  const parts: ArtifactName = {
    ...{ name, scn, version: "2.0.0", os: "any", arch: "any" },
    ...{ mode: "module", compression: "none" },
  };
  const code = new TextEncoder().encode(source);
  const content = { size: code.length, sha256: sha256(code) };
  const file = formatArtifactName(parts);
  const path = join(directory, file);
  await Deno.writeFile(path, code);
  const info = formatInfo({
    ...{ format: 1, name, scn, mode: "module" },
    runtime: { version: "2.0.0", os: "any", arch: "any" },
    artifact: { file, ...content, compression: "none" },
    content,
    ...{ exports: ["answer"], hooks: [], imports: [], optional: [] },
    source: { sha256: content.sha256 },
    ...{ builtAt: "2024-01-01T00:00:00.000Z", builtWith: "bench" },
  });
  const infoPath = join(directory, infoFileName(parts));
  await Deno.writeTextFile(infoPath, info);
  return [infoPath, path];
}
