import { mkdir } from "node:fs/promises";
import { join } from "@std/path";
import { formatTarget, hostTarget, HotplugError } from "../artifact/mod.ts";
import project from "../deno.json" with { type: "json" };
import { ownDenoDir } from "./own_deno_dir.ts";
import { readUpload } from "./read_upload.ts";
import { receiveUpload } from "./receive_upload.ts";
import { answerTar } from "./send_answer.ts";
import { answerOf, serviceApp } from "./service_app.ts";
import { OUTPUT_FOLDER, runBuild } from "./service_build.ts";
import type { BuildServiceEvent } from "./service_event.ts";
import { ServiceJob } from "./service_job.ts";
import {
  type BuildServiceOptions,
  resolveServiceOptions,
  type ServiceConfig,
} from "./service_options.ts";
import type { ServiceStatus } from "./service_status.ts";
import { Slots } from "./slots.ts";
import { sweepWorkFolders } from "./work_folder.ts";

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
 *   await using service = new BuildService({ port: 0, cacheDir: `${folder}/cache` });
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
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
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
   * `toolchain`, if this program is compiled, and no Deno is at hand to run builds with.
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
    await mkdir(this.#config.cacheDir, { recursive: true });
    await sweepWorkFolders();
    if (this.#closing !== undefined) throw closed();
    const app = serviceApp({
      token: this.#config.token,
      status: () => this.status(),
      build: (request, sent) => this.#build(request, sent),
      refused: (error) => this.#refused(error),
    });
    const { hostname, port } = this.#config;
    try {
      this.#server = Deno.serve(
        { hostname, port, onListen() {} },
        (request, { completed }) => app.fetch(request, { sent: completed }),
      );
    } catch (cause) {
      throw new HotplugError(
        "listen",
        `Cannot listen on ${hostname}:${port}: ${(cause as Error).message}; choose another port`,
        { cause },
      );
    }
    const { addr } = this.#server;
    const host = addr.hostname.includes(":") ? `[${addr.hostname}]` : addr.hostname;
    const url = new URL(`http://${host}:${addr.port}/`);
    this.#config.onEvent({ type: "listening", url: url.href });
    return url;
  }

  async #close(): Promise<void> {
    await this.#starting?.catch(() => {}); // whoever started it was told
    // New connections are refused from here on; those at hand are answered.
    const down = this.#server?.shutdown();
    const jobs = [...this.#jobs].map((job) => job.ended);
    const late = setTimeout(() => {
      for (const job of this.#jobs) job.stop(closed());
    }, this.#config.drainTime);
    await Promise.all(jobs);
    clearTimeout(late);
    await down;
    this.#config.onEvent({ type: "closed" });
  }

  /** Never rejects: what fails is the answer. */
  async #build(request: Request, sent: Promise<void>): Promise<Response> {
    const { builds, queue, timeLimit } = this.#config;
    if (this.#closing !== undefined) throw closed();
    if (this.#jobs.size >= builds + queue) throw busy(builds + queue);
    const job = new ServiceJob(++this.#ids, request.signal, timeLimit);
    this.#jobs.add(job);
    let ended: Promise<unknown> = Promise.resolve();
    try {
      const response = await this.#run(job, request);
      ended = sent.catch(() => {}); // who asked went away while it was sent
      return response;
    } catch (error) {
      return this.#failed(job, error);
    } finally {
      // The files are read until the last byte is sent.
      void ended.then(() => job.end()).then(() => this.#jobs.delete(job));
    }
  }

  async #run(job: ServiceJob, request: Request): Promise<Response> {
    const { signal } = job;
    const folder = await job.folder();
    const body = join(folder, "body");
    await receiveUpload({ request, file: body, maxBytes: this.#config.bodyBytes, signal });
    const type = request.headers.get("content-type") ?? "";
    const upload = await readUpload(body, type, join(folder, "parts"));
    let answer;
    {
      using _slot = await this.#slots.take(signal);
      answer = await runBuild(upload, folder, this.#denoDir, this.#config, signal);
    }
    const { name, artifacts: { length: targets }, failures: { length: failed } } = answer;
    this.#counts.built++;
    this.#tell({ type: "built", id: job.id, name, targets, failed, durationMs: job.age });
    return await answerTar(answer, join(folder, OUTPUT_FOLDER), signal);
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
