import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { BuildService, type BuildServiceEvent, type BuildServiceOptions } from "../builder/mod.ts";
import { PATIENCE } from "./_cli.ts";
import { seedNpmCache } from "./_npm_cache.ts";
import { openFilesIn, tempDirectory } from "./_temp.ts";

/** A build service in this process. */
export interface ServiceFixture extends AsyncDisposable {
  /** Where it is. */
  readonly url: URL;
  /** Where its builds have their private folders. */
  readonly workDir: string;
  /** It itself. */
  readonly service: BuildService;
  /** What it has told. */
  readonly events: readonly BuildServiceEvent[];
  /** Resolves with the first event of that type, told already or not. */
  next(type: BuildServiceEvent["type"]): Promise<BuildServiceEvent>;
  /** Resolves once it has no request, and fails if something is left of one. */
  idle(): Promise<void>;
  /** Sends a request to build, parts as they are. */
  post(
    parts: Readonly<Record<string, string | File>>,
    init?: RequestInit,
  ): Promise<Response>;
}

let cache: Promise<string> | undefined;

/** One cache for all services of a test file: what they fetch is fetched once. */
function sharedCache(): Promise<string> {
  return cache ??= makeCache();
}

async function makeCache(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "hotplug-test-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  await seedNpmCache(join(folder, "deno"));
  return folder;
}

/** Starts a service on a free port. */
export async function buildService(options: BuildServiceOptions = {}): Promise<ServiceFixture> {
  const events: BuildServiceEvent[] = [];
  const listeners = new Set<() => void>();
  const directory = await tempDirectory();
  const service = new BuildService({
    port: 0,
    workDir: directory.path,
    cacheDir: await sharedCache(),
    ...options,
    onEvent(event) {
      events.push(event);
      for (const listener of [...listeners]) listener();
      options.onEvent?.(event);
    },
  });
  const url = await service.start();
  return {
    url,
    workDir: directory.path,
    service,
    events,
    next(type) {
      const { promise, resolve } = Promise.withResolvers<BuildServiceEvent>();
      const look = (): void => {
        const found = events.find((event) => event.type === type);
        if (found !== undefined) resolve(found);
      };
      listeners.add(look);
      look();
      return promise.finally(() => listeners.delete(look));
    },
    async post(parts, init = {}) {
      const body = new FormData();
      for (const [name, value] of Object.entries(parts)) body.append(name, value);
      return await fetch(new URL("v1/api/build", url), { method: "POST", body, ...init });
    },
    async idle() {
      const deadline = performance.now() + PATIENCE;
      while (service.status().active > 0) {
        assert(performance.now() < deadline, "a request never ends");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assertEquals([...Deno.readDirSync(directory.path)].map(({ name }) => name), []);
      assertEquals(await processesIn(directory.path), []);
      assertEquals(await openFilesIn(directory.path), []);
    },
    async [Symbol.asyncDispose]() {
      await service.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** The programs that run below a folder, or were told of it; known on Linux only. */
async function processesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  if (Deno.build.os !== "linux") return found;
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const cwd = await Deno.readLink(`/proc/${name}/cwd`).catch(() => "");
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (cwd.startsWith(folder) || line.includes(folder)) found.push(line);
  }
  return found;
}
