import { join } from "@std/path";
import { formatArtifactName, infoFileName } from "../artifact/mod.ts";
import { gzip, SCN, writeArtifact } from "./_artifacts.ts";

/** What was strewn: rubbish by the name of the plugin that it pretends to be. */
export interface Rubbish extends Disposable {
  /** The names of what is told of as a failure, with the code. */
  readonly failing: ReadonlyMap<string, string>;
}

const POSIX = Deno.build.os !== "windows";

/** The name of a file that pretends to be an artifact. */
export function fileNameOf(name: string, compression: "none" | "gzip" = "none"): string {
  const target = { os: "any", arch: "any" } as const;
  return formatArtifactName({
    name,
    scn: SCN,
    version: "2.0.0",
    ...target,
    mode: "module",
    compression,
  });
}

/** Strews into a folder whatever may lie in one; `hang` is the source of what never settles. */
export async function strewRubbish(directory: string, hang: string): Promise<Rubbish> {
  const failing = new Map<string, string>();
  const path = (name: string, compression?: "gzip"): string =>
    join(directory, fileNameOf(name, compression));
  const fails = (name: string, code: string): string => {
    failing.set(name, code);
    return name;
  };
  await strewOddFiles(directory, path, fails);
  await strewBadModules(directory, hang, fails);
  const sockets = POSIX ? await strewSpecialFiles(directory, path, fails) : [];
  return { failing, [Symbol.dispose]: () => sockets.forEach((each) => each.close()) };
}

type PathOf = (name: string, compression?: "gzip") => string;
type Fails = (name: string, code: string) => string;

async function strewOddFiles(directory: string, path: PathOf, fails: Fails): Promise<void> {
  await Deno.mkdir(path(fails("directory", "integrity")));
  await Deno.mkdir(join(directory, "subfolder"));
  await Deno.writeTextFile(join(directory, "subfolder", fileNameOf("below")), "throw 1;");
  await Deno.writeTextFile(join(directory, "a".repeat(251) + ".mjs"), "throw 1;");
  await Deno.writeTextFile(join(directory, "README.txt"), "hello");
  await Deno.writeTextFile(path("garbled").replace(/_any_any.mjs$/, "_any_linux.mjs"), "throw 1;");
  await using large = await Deno.open(path(fails("large", "limit")), { create: true, write: true });
  await large.truncate(300 * 2 ** 20);
  await using info = await Deno.open(
    join(
      directory,
      infoFileName({
        name: fails("largeinfo", "limit"),
        scn: SCN,
        version: "2.0.0",
        os: "any",
        arch: "any",
      }),
    ),
    { create: true, write: true },
  );
  await info.truncate(300 * 2 ** 20);
  await Deno.writeTextFile(path("largeinfo"), "");
  const bytes = await gzip(crypto.getRandomValues(new Uint8Array(2_000)));
  await Deno.writeFile(path(fails("cutgzip", "integrity"), "gzip"), bytes.subarray(0, 1_000));
  await Deno.writeTextFile(path(fails("nogzip", "integrity"), "gzip"), "no gzip");
  await Deno.writeFile(path(fails("binary", "syntax")), new Uint8Array([0xff, 0xfe, 0, 1, 2]));
}

async function strewBadModules(directory: string, hang: string, fails: Fails): Promise<void> {
  const modules: [name: string, source: string, code?: string][] = [
    ["empty", ""],
    ["syntax", "export const = ;", "syntax"],
    ["throws", "throw new Error('at the top');", "load"],
    ["throwstext", "throw 'text';", "load"],
    ["hangs", hang, "deadline"],
    ["imports", "import 'https://127.0.0.1:1/never.ts';", "imports"],
    ["exits", "Deno.exit(7);", "load"],
    ["latethrow", "setTimeout(() => { throw new Error('late'); }, 1);"],
    ["latetext", "setTimeout(() => { throw 'late'; }, 1);"],
    ["lateexit", "setTimeout(() => Deno.exit(8), 1);"],
    ["rejects", "void Promise.reject(new Error('late'));"],
  ];
  for (const [name, source, code] of modules) {
    if (code) fails(name, code);
    await writeArtifact(directory, source, { name });
  }
  await writeArtifact(directory, "", {
    name: fails("badinfo", "info"),
    info: { content: { size: 1, sha256: "0".repeat(64) } },
  });
  const changed = { name: fails("wrongdigest", "integrity") };
  const { path } = await writeArtifact(directory, "export const a = 1;", changed);
  await Deno.writeTextFile(path, "export const b = 1;");
}

async function strewSpecialFiles(
  directory: string,
  path: PathOf,
  fails: Fails,
): Promise<Deno.Listener[]> {
  await run("mkfifo", [path(fails("fifo", "integrity"))]);
  await Deno.symlink(join(directory, "nowhere"), path(fails("dangling", "io")));
  await Deno.symlink(path("loop2"), path(fails("loop1", "io")));
  await Deno.symlink(path("loop1"), path(fails("loop2", "io")));
  await Deno.symlink("/etc/hosts", path(fails("outside", "integrity")));
  await Deno.symlink("/dev/zero", path(fails("device", "integrity")));
  // Bytes that are no UTF-8; where the file system refuses them, there is nothing to be tested.
  await run("sh", [
    "-c",
    `cd "$0" && printf 'throw 1;' > "$(printf 'b\\377d_${SCN}_2_0_0_any_any.mjs')" || true`,
    directory,
  ]);
  return [Deno.listen({ transport: "unix", path: path(fails("socket", "integrity")) })];
}

async function run(command: string, args: string[]): Promise<void> {
  const { success } = await new Deno.Command(command, { args, stderr: "null" }).output();
  if (!success) throw new Error(`${command} failed`);
}
