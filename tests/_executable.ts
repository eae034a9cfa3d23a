import { join } from "@std/path";
import { formatTarget, hostTarget } from "../artifact/mod.ts";
import { build, type BuildOptions, type BuildResult, type BuiltArtifact } from "../builder/mod.ts";
import { nameUnless, NPM_OBSTACLE } from "./_npm_reach.ts";
import { tempDirectory } from "./_temp.ts";

/** The Deno that the mirror of the tests has a base for. */
export const DENO_VERSION = "2.4.2";

/** A folder laid out as Deno's download site; whoever has none can't compile without the network. */
export const MIRROR: string | undefined = Deno.env.get("HOTPLUG_TEST_DENORT") || undefined;

/** Why executables can't be compiled here and run, if they can't. */
const OBSTACLE: string | undefined =
  MIRROR === undefined || formatTarget(hostTarget()) !== "linux/amd64"
    ? "set HOTPLUG_TEST_DENORT to a mirror of denort on linux/amd64"
    : NPM_OBSTACLE;

/** Whether executables can be compiled here and run. */
export const CAN_COMPILE: boolean = OBSTACLE === undefined;

/** Registers a test that compiles executables; where that can't be done it says so by its name. */
export function executableTest(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({
    name: nameUnless(OBSTACLE, name),
    ignore: OBSTACLE !== undefined,
    fn,
  });
}

/** A folder for the builds of one test, and one Deno of another version for them all. */
export interface ExecutableFixture extends AsyncDisposable {
  /** The options that a build of an executable has here. */
  readonly options: Pick<BuildOptions, "mode" | "denoVersion" | "denortMirror" | "cacheDir">;
  /** The path of something in the folder. */
  file(...parts: string[]): string;
  /** Builds a module, given as text, into a destination of its own. */
  build(source: string, options?: Partial<BuildOptions>): Promise<BuildResult>;
}

/** Makes the fixture; it fetches that Deno at its first build. */
export async function executableFixture(): Promise<ExecutableFixture> {
  const directory = await tempDirectory();
  const options = {
    mode: "executable",
    denoVersion: DENO_VERSION,
    denortMirror: MIRROR ?? "",
    cacheDir: directory.file("cache"),
  } as const;
  let builds = 0;
  return {
    options,
    file: directory.file,
    async build(source, more = {}) {
      const folder = directory.file(`build-${++builds}`);
      await Deno.mkdir(folder);
      await Deno.writeTextFile(join(folder, "tool.ts"), source);
      return await build({
        source: join(folder, "tool.ts"),
        dest: join(folder, "dest"),
        ...options,
        ...more,
      });
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

/** The one artifact of a build. */
export function onlyArtifact({ artifacts }: BuildResult): BuiltArtifact {
  const [artifact, ...more] = artifacts;
  if (artifact === undefined || more.length > 0) throw new Error("The build made not one artifact");
  return artifact;
}
