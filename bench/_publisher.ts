import { join } from "@std/path";
import {
  artifactStem,
  formatArtifactName,
  formatInfo,
  type InfoFile,
  nextScn,
  parseArtifactName,
  type Scn,
  signInfo,
} from "../artifact/mod.ts";
import { parseSigningKey } from "../artifact/mod.ts";

/** A built artifact as the pattern of others. */
export interface Pattern {
  /** What its info file says. */
  readonly info: InfoFile;
  /** Its module. */
  readonly code: Uint8Array;
  /** Its source map. */
  readonly map: Uint8Array;
}

/** Publishes version after version of one module, as a build does, all but the last step of it. */
export class Publisher {
  readonly #pattern: Pattern;
  readonly #privateKey: string | undefined;
  #scn: Scn;

  /** Begins after the pattern's version; signs by the key if there is one. */
  constructor(pattern: Pattern, privateKey?: string) {
    this.#pattern = pattern;
    this.#privateKey = privateKey;
    this.#scn = pattern.info.scn;
  }

  /** Writes the next version; the answer is its SCN, and the last step: to rename its info file. */
  async next(directory: string): Promise<{ scn: Scn; last: () => Promise<void> }> {
    const { info, code, map } = this.#pattern;
    const scn = this.#scn = nextScn(this.#scn);
    const name = { ...parseArtifactName(info.artifact.file), scn };
    const stem = artifactStem(name);
    const file = formatArtifactName(name);
    const sourceMap = info.sourceMap && { ...info.sourceMap, file: `${stem}.mjs.map` };
    if (sourceMap) await Deno.writeFile(join(directory, sourceMap.file), map);
    const artifact = { ...info.artifact, file };
    const own = { ...info, scn, artifact, ...(sourceMap && { sourceMap }) };
    const signed = this.#privateKey === undefined
      ? own
      : await signInfo(own, parseSigningKey(this.#privateKey));
    const temporary = join(directory, `.${stem}.pinf`);
    await Deno.writeTextFile(temporary, formatInfo(signed));
    await Deno.writeFile(join(directory, file), code);
    // So that what its coming has set off is over.
    await new Promise((resolve) => setTimeout(resolve, 25));
    return { scn, last: () => Deno.rename(temporary, join(directory, `${stem}.pinf`)) };
  }
}
