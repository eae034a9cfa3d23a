import { tmpdir } from "node:os";
import { BuildService, type BuildServiceEvent, type BuildServiceOptions } from "../builder/mod.ts";

/** A build service in this process. */
export interface ServiceFixture extends AsyncDisposable {
  /** Where it is. */
  readonly url: URL;
  /** It itself. */
  readonly service: BuildService;
  /** What it has told. */
  readonly events: readonly BuildServiceEvent[];
  /** Resolves with the first event of that type, told already or not. */
  next(type: BuildServiceEvent["type"]): Promise<BuildServiceEvent>;
  /** Sends a request to build, parts as they are. */
  post(
    parts: Readonly<Record<string, string | File>>,
    init?: RequestInit,
  ): Promise<Response>;
}

let cache: string | undefined;

/** One cache for all services of a test file: what they fetch is fetched once. */
function sharedCache(): string {
  if (cache === undefined) {
    const folder = cache = Deno.makeTempDirSync({ prefix: "hotplug-test-" });
    globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  }
  return cache;
}

/** Starts a service on a free port. */
export async function buildService(options: BuildServiceOptions = {}): Promise<ServiceFixture> {
  const events: BuildServiceEvent[] = [];
  const listeners = new Set<() => void>();
  const service = new BuildService({
    port: 0,
    cacheDir: sharedCache(),
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
    [Symbol.asyncDispose]: () => service.close(),
  };
}

/** How long the builds of tests that run beside this one may take, in milliseconds. */
const OTHERS = 60_000;

/**
 * The private folders of builds that stay. All files of a parallel run share a process, so those of
 * other tests' builds are waited for: what was left behind never goes.
 */
export async function workFolders(): Promise<string[]> {
  const deadline = Date.now() + OTHERS;
  let left = await presentFolders();
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const present = await presentFolders();
    left = left.filter((name) => present.includes(name));
  }
  return left;
}

async function presentFolders(): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(tmpdir()), ({ name }) => name);
  return names.filter((name) =>
    name.startsWith("hotplug-build-") && name.includes(`-${Deno.pid}-`)
  );
}
