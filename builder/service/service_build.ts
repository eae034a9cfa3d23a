import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import type { BuildAnswer } from "../protocol/build_answer.ts";
import type { BuildOptions } from "../options.ts";
import { errorOfProblem, type Problem } from "../protocol/problem.ts";
import type { ServiceConfig } from "./service_options.ts";
import { endOrphans } from "../files/work_folder.ts";

/** What a child is told. */
export interface ChildRequest {
  /** What the body of the request says of itself. */
  readonly contentType: string;
  /** The options that are the service's to choose. */
  readonly own: Pick<BuildOptions, "cacheDir" | "denortMirror" | "env">;
}

/** What a child leaves. */
export type ChildOutcome =
  | { readonly type: "built"; readonly answer: BuildAnswer }
  | { readonly type: "failed"; readonly problem: Problem };

/** The file of a request's folder that holds its body. */
export const BODY_FILE = "body";
/** The file of a request's folder that the child is told by. */
export const REQUEST_FILE = "request.json";
/** The file of a request's folder that the child leaves. */
export const OUTCOME_FILE = "outcome.json";
/** The folder of a request's folder that the child puts the answer's files into. */
export const OUTPUT_FOLDER = "out";

/** What a build may know of this machine: how to reach others, and whom to trust there. */
const KEPT: readonly string[] = [
  ..."http_proxy https_proxy all_proxy no_proxy".split(" "),
  ..."HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY".split(" "),
  ..."DENO_CERT DENO_TLS_CA_STORE NODE_EXTRA_CA_CERTS SSL_CERT_DIR SSL_CERT_FILE".split(" "),
  // Without it nothing on Windows can open a connection.
  "SYSTEMROOT",
];
const END_MS = 3000;
const MAX_STDERR = 16 * 1024;

/**
 * Runs a build in a child process of its own, with a home of its own. The body of the request lies in
 * the folder already.
 *
 * @param denoDir The folder that this process's own modules are cached in
 * @throws {HotplugError} With the code of what failed in it; `remote`, if the child came to grief;
 * the signal's reason once that is aborted and the child is gone.
 */
export async function runBuild(
  contentType: string,
  folder: string,
  denoDir: string,
  config: ServiceConfig,
  signal: AbortSignal,
): Promise<BuildAnswer> {
  const request: ChildRequest = { contentType, own: ownOptions(config) };
  await writeFile(join(folder, REQUEST_FILE), JSON.stringify(request));
  const { code, stderr } = await runChild(folder, childEnv(folder, denoDir), signal);
  signal.throwIfAborted();
  const text = await readFile(join(folder, OUTCOME_FILE), "utf8").catch(() => undefined);
  if (text === undefined) {
    throw new HotplugError(
      "remote",
      `The build ended with exit code ${code} and no result; try it again, and if it fails again, ` +
        `tell who runs the service:\n${stderr.replaceAll(folder, "").trim()}`,
    );
  }
  const outcome = JSON.parse(text.replaceAll(`${folder}/`, "")) as ChildOutcome;
  if (outcome.type === "built") return outcome.answer;
  throw errorOfProblem(outcome.problem, outcome.problem.status, basename(folder));
}

function ownOptions({ cacheDir, denortMirror, env }: ServiceConfig): ChildRequest["own"] {
  return {
    cacheDir,
    ...(denortMirror === undefined ? {} : { denortMirror }),
    // Not the cache of this user: it may hold packages that are nobody else's business.
    env: { ...env, DENO_DIR: join(cacheDir, "deno") },
  };
}

function childEnv(folder: string, denoDir: string): Record<string, string> {
  const kept = KEPT.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const own = ["HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"].map((name) => [name, folder]);
  return { ...Object.fromEntries([...kept, ...own]), DENO_DIR: denoDir, NO_COLOR: "1" };
}

async function runChild(
  folder: string,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<{ code: number; stderr: string }> {
  signal.throwIfAborted();
  const program = new URL("./service_child.ts", import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-prompt", "--quiet", program, folder],
    cwd: folder,
    env,
    clearEnv: true,
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let late: ReturnType<typeof setTimeout> | undefined;
  // The end of its standard input tells a child to cancel, as the end of this process does.
  const end = (): void => {
    child.stdin.close().catch(() => {}); // it has ended
    late = setTimeout(() => child.kill("SIGKILL"), END_MS);
  };
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    const stderr = tailOf(child.stderr);
    const { code } = await child.status;
    // What it left running holds its standard error open.
    await endOrphans([folder]);
    return { code, stderr: await stderr };
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", end);
    await child.stdin.close().catch(() => {}); // closed already
  }
}

async function tailOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let tail = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    tail = (tail + chunk).slice(-MAX_STDERR);
  }
  return tail;
}
