import { join } from "@std/path";
import { formatArtifactName, infoFileName, lockFileName, nextScn } from "../artifact/mod.ts";
import { writeArtifact, type WrittenArtifact } from "./_artifacts.ts";
import type { Random } from "./random.ts";

/** An artifact that lies in a watched folder. */
export interface Lying {
  /** The plugin's name. */
  readonly name: string;
  /** Its sequence change number. */
  readonly scn: number;
  /** The files of it. */
  readonly paths: readonly string[];
}

/** The plugins that come as artifacts in a folder. */
export const NAMES = ["alpha", "beta", "gamma", "delta", "epsilon"];
/** The plugin that comes by a link that is swapped. */
export const LINKED = "linked";

/** Source of a good module, and of what is no good. */
export function sourceOf(scn: number, kind: Kind = "good"): string {
  const answer = `export const answer = () => ${scn};\n`;
  switch (kind) {
    case "good":
      return `let calls = 0;\n${answer}export const deactivate = () => { calls = 0; };\n`;
    case "syntax":
      return "export const answer = (;\n";
    case "throws":
      return `throw new Error("no good");\n${answer}`;
    case "activation":
      return `${answer}export const activate = () => { throw new Error("no good"); };\n`;
    case "hangs":
      return `await new Promise((resolve) => setTimeout(resolve, 60_000));\n${answer}`;
    case "exits":
      return `Deno.exit(3);\n${answer}`;
    default:
      return kind satisfies never;
  }
}

/** What becomes of a module. */
export type Kind = "good" | "syntax" | "throws" | "activation" | "hangs" | "exits";

/** The folders of a run, and what lies in them. */
export class Place {
  readonly #random: Random;
  readonly #scns = new Map<string, number>();
  /** The folder whose files come and go. */
  readonly plugins: string;
  /** The link that is swapped. */
  readonly link: string;
  /** What lies in the folder, whole and good. */
  readonly lying: Lying[] = [];
  readonly #volumes: string;
  #volume = 0;

  readonly #begins: (name: string, scn: number) => void;

  /** Makes it below the root; told of each good version before there is anything of it. */
  constructor(root: string, random: Random, begins: (name: string, scn: number) => void) {
    this.#random = random;
    this.#begins = begins;
    this.plugins = join(root, "plugins");
    this.link = join(root, "linked");
    this.#volumes = join(root, "volumes");
  }

  async make(): Promise<void> {
    await Deno.mkdir(this.plugins);
    await Deno.mkdir(this.#volumes);
  }

  /** The SCN for the next version of a plugin. */
  next(name: string): number {
    const scn = nextScn(this.#scns.get(name) ?? 20240101000000);
    this.#scns.set(name, scn);
    return scn;
  }

  /** Publishes as a build does: under a lock that goes at the end. */
  async publish(name: string, kind: Kind = "good"): Promise<Lying> {
    const scn = this.next(name);
    if (kind === "good") this.#begins(name, scn);
    const lock = join(this.plugins, lockFileName(name, scn));
    await Deno.writeTextFile(lock, "{}");
    const written = await this.#write(this.plugins, name, scn, kind);
    await Deno.remove(lock);
    return this.#lies(name, scn, written, kind);
  }

  /** Writes a good one elsewhere, and renames it into the folder: artifact first. */
  async moveIn(name: string): Promise<Lying> {
    const scn = this.next(name);
    this.#begins(name, scn);
    const aside = await Deno.makeTempDir({ dir: this.#volumes });
    const written = await this.#write(aside, name, scn, "good");
    const moved = { ...written, path: "", infoPath: "" };
    for (const key of ["path", "infoPath"] as const) {
      moved[key] = join(this.plugins, written[key].slice(aside.length + 1));
      await Deno.rename(written[key], moved[key]);
    }
    return this.#lies(name, scn, moved, "good");
  }

  /** Writes a bare module in pieces, slowly. */
  async writeSlowly(name: string, pause: () => Promise<void>): Promise<Lying> {
    const scn = this.next(name);
    this.#begins(name, scn);
    const parts = { name, scn, version: "2.0.0", os: "any", arch: "any" } as const;
    const file = formatArtifactName({ ...parts, mode: "module", compression: "none" });
    const path = join(this.plugins, file);
    const text = `// ${"x".repeat(2_000)}\n${sourceOf(scn)}`;
    const step = Math.ceil(text.length / 4);
    for (let at = 0; at < text.length; at += step) {
      await Deno.writeTextFile(path, text.slice(at, at + step), { append: true });
      await pause();
    }
    const lying = { name, scn, paths: [path] };
    this.lying.push(lying);
    return lying;
  }

  /** Leaves half of a build: its lock and a piece of the artifact, or a piece and a whole info file. */
  async leaveHalf(name: string): Promise<void> {
    const scn = this.next(name);
    const locked = this.#random.below(2) === 0;
    if (locked) await Deno.writeTextFile(join(this.plugins, lockFileName(name, scn)), "{}");
    const aside = await Deno.makeTempDir({ dir: this.#volumes });
    const written = await this.#write(aside, name, scn, "good");
    const bytes = await Deno.readFile(written.path);
    const to = (path: string): string => join(this.plugins, path.slice(aside.length + 1));
    if (!locked) await Deno.copyFile(written.infoPath, to(written.infoPath));
    await Deno.writeFile(to(written.path), bytes.subarray(0, bytes.length / 2));
  }

  /** Deletes an artifact and what belongs to it. */
  async remove(lying: Lying): Promise<void> {
    for (const path of lying.paths) await Deno.remove(path).catch(() => {});
    this.lying.splice(this.lying.indexOf(lying), 1);
  }

  /** Lets the link lead to another folder, with a newer version in it, in one step. */
  async swapLink(): Promise<number> {
    const scn = this.next(LINKED);
    this.#begins(LINKED, scn);
    const volume = join(this.#volumes, `v${this.#volume++}`);
    await Deno.mkdir(volume);
    await this.#write(volume, LINKED, scn, "good");
    const temporary = `${this.link}.new`;
    await Deno.symlink(volume, temporary);
    await Deno.rename(temporary, this.link);
    return scn;
  }

  /** Puts what is no artifact into the folder. */
  async litter(): Promise<void> {
    const { plugins } = this;
    const name = this.#random.pick(NAMES);
    const scn = this.next(name);
    const parts = { name, scn, version: "2.0.0", os: "any", arch: "any" } as const;
    const file = formatArtifactName({ ...parts, mode: "module", compression: "none" });
    const path = join(plugins, file);
    const noise = crypto.getRandomValues(new Uint8Array(300));
    const kinds = [
      () => Deno.writeFile(join(plugins, this.#random.text("ab_.~-9", 12) + "x"), noise),
      () => Deno.mkdir(path),
      () => Deno.symlink("/etc/hostname", path),
      () => Deno.symlink(join(plugins, "nowhere"), path),
      () => Deno.writeFile(join(plugins, infoFileName(parts)), noise),
      () => Deno.writeFile(`${path}.gz`, noise),
      () => Deno.writeTextFile(`${path}.tmp`, sourceOf(scn)),
      () => Deno.writeTextFile(`${path}~`, sourceOf(scn)),
    ];
    await this.#random.pick(kinds)().catch(() => {});
  }

  #write(directory: string, name: string, scn: number, kind: Kind): Promise<WrittenArtifact> {
    const gzip = this.#random.below(2) === 0;
    return writeArtifact(directory, sourceOf(scn, kind), { name, scn, gzip });
  }

  #lies(
    name: string,
    scn: number,
    { path, infoPath }: Pick<WrittenArtifact, "path" | "infoPath">,
    kind: Kind,
  ): Lying {
    const lying = { name, scn, paths: [infoPath, path] };
    if (kind === "good") this.lying.push(lying);
    return lying;
  }
}
