import { getRequestListener } from "@hono/node-server";
import { mkdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "@std/path";
import { formatTarget, hostTarget, HotplugError } from "../../artifact/mod.ts";
import project from "../../deno.json" with { type: "json" };
import { listen, shut } from "./listen.ts";
import { ownDenoDir } from "./own_deno_dir.ts";
import { receiveUpload } from "./receive_upload.ts";
import { answerTar } from "./send_answer.ts";
import { answerOf, type Outgoing, serviceApp } from "./service_app.ts";
import { BODY_FILE, OUTPUT_FOLDER, runBuild } from "./service_build.ts";
import type { BuildServiceEvent } from "./service_event.ts";
import { ServiceJob } from "./service_job.ts";
import {
  type BuildServiceOptions,
  resolveServiceOptions,
  type ServiceConfig,
} from "./service_options.ts";
import type { ServiceStatus } from "./service_status.ts";
import { Slots } from "./slots.ts";
import { quote } from "../quote.ts";
import { sweepWorkFolders } from "../files/work_folder.ts";

/**
 * A service that builds for others: `build({ remote })` and `hotplug build --remote` use it.
 *
 * Each build runs in a child process with a home and a folder of its own, knows nothing of this
 * process's environment but proxies and certificates, and imports from no `http(s)` host.
 *
 * @example
 * ```ts
 * import { build, BuildService } from "@hotplug/hotplug/builder";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * try {
 *   await using service = new BuildService({ port: 0 });
 *   const remote = await service.start();
 *   await Deno.writeTextFile(`${folder}/tax.ts`, "export const rate = () => 0.2;");
 *   const { artifacts } = await build({
 *     source: `${folder}/tax.ts`,
 *     dest: `${folder}/plugins`,
 *     remote,
 *   });
 *   assertEquals(artifacts[0]?.info.exports, ["rate"]);
 * } finally {
 *   await Deno.remove(folder, { recursive: true });
 * }
 * ```
 */
export class BuildService implements AsyncDisposable {
  readonly #config: ServiceConfig;
  readonly #slots: Slots;
  readonly #jobs = new Set<ServiceJob>();
  readonly #counts = { built: 0, failed: 0, cancelled: 0, refused: 0 };
  readonly #startedAt = new Date();
  #denoDir = "";
  #ids = 0;
  #server: Server | undefined;
  #starting: Promise<URL> | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Makes a service that does not listen yet.
   *
   * @throws {HotplugError} With code `options`, if one of them is out of its range.
   */
  constructor(options: BuildServiceOptions = {}) {
    this.#config = resolveServiceOptions(options);
    this.#slots = new Slots(this.#config.builds);
  }

  /**
   * Begins to listen and answers with the address.
   *
   * @throws {HotplugError} With code `listen`, if the port is taken; `closed`, if it was closed;
   * `io`, if one of its folders can't be made; `toolchain`, if this program is compiled, and no Deno is
   * at hand to run builds with.
   */
  start(): Promise<URL> {
    return this.#starting ??= this.#start();
  }

  /** How it is. */
  status(): ServiceStatus {
    const { builds, queue, bodyBytes, timeLimit } = this.#config;
    return {
      status: this.#closing === undefined ? "up" : "closing",
      version: project.version,
      deno: Deno.version.deno,
      target: formatTarget(hostTarget()),
      startedAt: this.#startedAt.toISOString(),
      active: this.#jobs.size,
      waiting: this.#slots.waiting,
      counts: { ...this.#counts },
      limits: { builds, queue, bodyBytes, timeLimit },
    };
  }

  /** Takes no more builds, gives those under way the drain time, and ends what is left of them. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** See {@linkcode BuildService.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(): Promise<URL> {
    this.#denoDir = await ownDenoDir();
    await makeFolder("cacheDir", this.#config.cacheDir);
    await makeFolder("workDir", this.#config.workDir);
    await sweepWorkFolders(this.#config.workDir);
    if (this.#closing !== undefined) throw closed();
    const app = serviceApp({
      token: this.#config.token,
      status: () => this.status(),
      build: (request, outgoing) => this.#build(request, outgoing),
      refused: (error) => this.#refused(error),
    });
    // Not `Deno.serve`: that does not see that who asked has gone, once the request is read.
    this.#server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
    const addr = await listen(this.#server, this.#config);
    const host = addr.address.includes(":") ? `[${addr.address}]` : addr.address;
    const url = new URL(`http://${host}:${addr.port}/`);
    this.#tell({ type: "listening", url: url.href });
    return url;
  }

  async #close(): Promise<void> {
    await this.#starting?.catch(() => {}); // whoever started it was told
    const jobs = [...this.#jobs].map((job) => job.ended);
    const late = setTimeout(() => {
      for (const job of this.#jobs) job.stop(closed());
    }, this.#config.drainTime);
    await Promise.all(jobs);
    clearTimeout(late);
    // One that never listened has nothing to tell.
    if (!this.#server?.listening) return;
    await shut(this.#server);
    this.#tell({ type: "closed" });
  }

  /** Never rejects: what fails is the answer. */
  async #build(request: Request, outgoing: Outgoing): Promise<Response> {
    const { builds, queue } = this.#config;
    if (this.#closing !== undefined) throw closed();
    if (this.#jobs.size >= builds + queue) throw busy(builds + queue);
    const job = new ServiceJob(++this.#ids, outgoing, this.#config);
    this.#jobs.add(job);
    void job.ended.then(() => this.#jobs.delete(job));
    try {
      return await this.#run(job, request);
    } catch (error) {
      return this.#failed(job, error);
    } finally {
      job.settle();
    }
  }

  async #run(job: ServiceJob, request: Request): Promise<Response> {
    const { signal } = job;
    const folder = await job.folder();
    const { bodyBytes: maxBytes } = this.#config;
    await receiveUpload({ request, file: join(folder, BODY_FILE), maxBytes, signal });
    const type = request.headers.get("content-type") ?? "";
    let answer;
    {
      using _slot = await this.#slots.take(signal);
      answer = await runBuild(type, folder, this.#denoDir, this.#config, signal);
    }
    const { name, artifacts: { length: targets }, failures: { length: failed } } = answer;
    this.#counts.built++;
    this.#tell({ type: "built", id: job.id, name, targets, failed, durationMs: job.age });
    return answerTar(answer, join(folder, OUTPUT_FOLDER));
  }

  #failed(job: ServiceJob, cause: unknown): Response {
    const { id, age: durationMs } = job;
    if (job.abandoned) {
      this.#counts.cancelled++;
      this.#tell({ type: "cancelled", id, durationMs });
      // Nobody reads it.
      return answerOf(new HotplugError("cancelled", "Whoever asked for the build went away"));
    }
    const error = cause instanceof HotplugError ? cause : new HotplugError(
      "remote",
      "The build service failed at the build; tell who runs it",
      { cause },
    );
    this.#counts.failed++;
    const { code } = error;
    const message = code === "remote" ? `${error.message}: ${cause}` : error.message;
    this.#tell({ type: "failed", id, code, message, durationMs });
    return answerOf(error);
  }

  #refused(error: HotplugError): void {
    const { code, message, cause } = error;
    this.#counts.refused++;
    this.#tell({ type: "refused", code, message: cause ? `${message}: ${cause}` : message });
  }

  #tell(event: BuildServiceEvent): void {
    this.#config.onEvent(event);
  }
}

async function makeFolder(option: "cacheDir" | "workDir", path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new HotplugError(
      "io",
      `Cannot serve builds: the folder ${quote(path)} (${option}) can't be made: ` +
        `${(cause as Error).message}; name another one`,
      { cause },
    );
  }
}

function busy(places: number): HotplugError {
  return new HotplugError(
    "busy",
    `Cannot build now: ${places} builds are under way or wait, and no more are taken; try again in ` +
      `a few seconds`,
  );
}

function closed(): HotplugError {
  return new HotplugError("closed", "Cannot build: the build service is closing; try another one");
}
