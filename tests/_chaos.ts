import { join } from "@std/path";
import { makeRandom, type Random } from "./random.ts";
import { type Disk, mountDisk } from "./_chaos_disk.ts";
import { type HostEvent, HostProcess, type Served } from "./_chaos_host.ts";
import { Oracle } from "./_chaos_oracle.ts";
import { type Kind, LINKED, NAMES, Place } from "./_chaos_place.ts";

/** What came of a run. */
export interface ChaosReport {
  /** To run it again. */
  readonly seed: number;
  /** How often each operation was done. */
  readonly operations: Readonly<Record<string, number>>;
  /** How many calls were answered. */
  readonly calls: number;
  /** How many were lost to a kill. */
  readonly lost: number;
  /** How many versions went into quarantine, each after two kills. */
  readonly quarantined: number;
  /** How many times all was quiet, and judged. */
  readonly judged: number;
  /** The longest that it took until all was as it is to be, in milliseconds. */
  readonly slowest: number;
  /** What went wrong, in the order in which it did. */
  readonly faults: readonly string[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
}

/** How a run goes. */
export interface ChaosOptions {
  /** What the operations are drawn from; one seed, one sequence. */
  readonly seed: number;
  /** How long, in milliseconds. */
  readonly milliseconds: number;
}

/** Time between two full scans; all must be as it is to be within it. */
const SCAN_INTERVAL = 5_000;
const CALLERS = 2;

/** Lets chaos befall a daemon, and holds it against an oracle. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "hotplug-chaos-" }));
  try {
    await Deno.mkdir(join(root, "disk"));
    await using disk = await mountDisk(join(root, "disk"));
    const chaos = new Chaos(root, makeRandom(options.seed), disk);
    return await chaos.run(options.milliseconds);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

class Chaos {
  readonly #random: Random;
  readonly #place: Place;
  readonly #oracle = new Oracle();
  readonly #root: string;
  readonly #disk: Disk | undefined;
  readonly #operations: Record<string, number> = {};
  readonly #faults: string[] = [];
  readonly #kills: number[] = [];
  readonly #released: Promise<void>[] = [];
  #host: HostProcess | undefined;
  #calls = 0;
  #lost = 0;
  #quarantined = 0;
  #judged = 0;
  #slowest = 0;
  #over = false;

  constructor(root: string, random: Random, disk: Disk | undefined) {
    this.#root = root;
    this.#random = random;
    this.#place = new Place(root, random, (name, scn) => this.#oracle.begins(name, scn));
    this.#disk = disk;
  }

  async run(milliseconds: number): Promise<ChaosReport> {
    await this.#place.make();
    await Deno.mkdir(this.#tmp, { recursive: true });
    this.#oracle.published(LINKED, await this.#place.swapLink());
    await this.#start();
    const callers = Array.from({ length: CALLERS }, () => this.#call());
    const end = performance.now() + milliseconds;
    try {
      while (performance.now() < end && this.#faults.length === 0) {
        for (let left = 1 + this.#random.below(6); left > 0; left--) await this.#act();
        await this.#judge();
      }
    } catch (error) {
      this.#faults.push(`it could not go on: ${error}\n${this.#host?.stderr ?? ""}`);
    } finally {
      this.#over = true;
      await Promise.all(callers);
      await this.#host?.end("SIGKILL");
    }
    return this.#report();
  }

  get #tmp(): string {
    return join(this.#root, "disk", "tmp");
  }

  async #start(): Promise<void> {
    const setting = {
      watch: [this.#place.plugins, this.#place.link],
      state: join(this.#root, "disk", "state"),
      scanInterval: SCAN_INTERVAL,
    };
    this.#host = await HostProcess.start(setting, this.#tmp, (event) => this.#told(event));
  }

  /** Version by version: what it ended the process twice by is none's fault but ours. */
  #told(event: HostEvent): void {
    if (event.type !== "quarantined") return;
    this.#quarantined++;
    if (this.#kills.length < 2) this.#faults.push(`quarantined without kills: ${event.message}`);
    const { name, scn } = event;
    // Only once it serves: it tells this before.
    this.#released.push(
      (async () => {
        while (!this.#host) await pause(20);
        await this.#host.release(name, scn).catch(() => {});
      })(),
    );
  }

  async #act(): Promise<void> {
    const operations: Record<string, () => Promise<unknown>> = {
      build: () => this.#good(() => this.#place.publish(this.#name())),
      moveIn: () => this.#good(() => this.#place.moveIn(this.#name())),
      slowly: () => this.#good(() => this.#place.writeSlowly(this.#name(), () => pause(30))),
      bad: () => this.#place.publish(this.#name(), this.#random.pick(BAD)),
      half: () => this.#place.leaveHalf(this.#name()),
      delete: () => this.#delete(),
      swap: async () => this.#oracle.published(LINKED, await this.#place.swapLink()),
      burst: () => this.#burst(),
      litter: () => this.#place.litter(),
      hangup: () => this.#signal("SIGHUP"),
      stop: () => this.#stop(),
      kill: () => this.#restart("SIGKILL"),
      end: () => this.#restart("SIGTERM"),
      full: () => this.#full(),
      pause: () => pause(this.#random.below(100)),
    };
    const name = this.#random.pick(WEIGHTED);
    this.#operations[name] = (this.#operations[name] ?? 0) + 1;
    await operations[name]?.();
  }

  #name(): string {
    return this.#random.pick(NAMES);
  }

  async #good(
    publish: () => Promise<{ readonly name: string; readonly scn: number }>,
  ): Promise<void> {
    const { name, scn } = await publish();
    this.#oracle.published(name, scn);
  }

  async #burst(): Promise<void> {
    const name = this.#name();
    for (let left = 20 + this.#random.below(60); left > 0; left--) {
      await this.#good(() => this.#place.publish(name));
    }
  }

  async #delete(): Promise<void> {
    const { lying } = this.#place;
    if (lying.length === 0) return;
    const gone = this.#random.pick(lying);
    // First said, so that what goes in between is none that must be served.
    this.#oracle.deleted(gone.name, gone.scn);
    await this.#place.remove(gone);
  }

  #signal(signal: Deno.Signal): Promise<void> {
    this.#host?.signal(signal);
    return Promise.resolve();
  }

  async #stop(): Promise<void> {
    this.#host?.signal("SIGSTOP");
    await pause(50 + this.#random.below(400));
    this.#host?.signal("SIGCONT");
  }

  async #restart(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const host = this.#host;
    this.#host = undefined;
    if (signal === "SIGKILL") this.#killed();
    await host?.end(signal);
    await this.#start();
  }

  #killed(): void {
    this.#kills.push(performance.now());
    this.#oracle.killed();
  }

  /** Nothing need be loaded while the disk is full, and all must be served on. */
  async #full(): Promise<void> {
    if (!this.#disk) return;
    await this.#disk.fill();
    for (let left = this.#random.below(4); left > 0; left--) {
      await this.#good(() => this.#place.publish(this.#name()));
    }
    await pause(this.#random.below(300));
    if (this.#random.below(3) === 0) {
      // One that begins on a full disk can't: it is told why, and begins once there is room.
      const host = this.#host;
      this.#host = undefined;
      this.#killed();
      await host?.end("SIGKILL");
      await this.#disk.free();
      await this.#start();
      return;
    }
    await this.#disk.free();
  }

  /** Waits until all is as it is to be, and no longer than it may take. */
  async #judge(): Promise<void> {
    const began = performance.now();
    await Promise.all(this.#released.splice(0));
    let wrong: string[] = [];
    do {
      wrong = [];
      for (const name of this.#oracle.names()) {
        const result = await this.#host?.call(name);
        const served = result?.type === "served" ? result.served : undefined;
        const why = this.#oracle.judge(name, served);
        if (why !== undefined) wrong.push(why);
      }
      const took = performance.now() - began;
      if (wrong.length === 0) {
        this.#slowest = Math.max(this.#slowest, took);
        this.#judged++;
        return;
      }
      await pause(20);
    } while (performance.now() - began < SCAN_INTERVAL);
    this.#faults.push(...wrong.map((each) => `after ${SCAN_INTERVAL} ms ${each}`));
  }

  /** Calls what is served all the time: nothing may fail but by a kill. */
  async #call(): Promise<void> {
    while (!this.#over) {
      const host = this.#host;
      const names = this.#oracle.names().filter((name) => this.#oracle.wasServed(name));
      const name = names[this.#calls % Math.max(1, names.length)];
      if (!host || name === undefined) {
        await pause(10);
        continue;
      }
      const result = await host.call(name);
      this.#calls++;
      if (result.type === "gone") {
        if (this.#host === host && !this.#over) {
          await pause(50);
          // Killed meanwhile, and that is just being noted.
          if (this.#host === host && !this.#over) {
            this.#faults.push(`a call broke: ${result.message}`);
          }
        }
        this.#lost++;
      } else if (result.type === "refused") {
        this.#faults.push(`a call of ${name} failed: ${result.code} ${result.message}`);
      } else {
        const wrong = this.#oracle.saw(name, result.served as Served);
        if (wrong !== undefined) this.#faults.push(wrong);
      }
      await pause(2);
    }
  }

  #report(): ChaosReport {
    return {
      seed: this.#random.seed,
      operations: this.#operations,
      calls: this.#calls,
      lost: this.#lost,
      quarantined: this.#quarantined,
      judged: this.#judged,
      slowest: Math.round(this.#slowest),
      faults: this.#faults,
      skipped: this.#disk ? [] : ["a full disk: only root may mount one"],
    };
  }
}

const BAD: readonly Kind[] = ["syntax", "throws", "activation", "hangs", "exits"];

/** Each as often as it is to come. */
const WEIGHTED: readonly string[] = Object.entries({
  build: 8,
  moveIn: 4,
  slowly: 3,
  bad: 4,
  half: 3,
  delete: 4,
  swap: 3,
  burst: 1,
  litter: 4,
  hangup: 2,
  stop: 2,
  kill: 3,
  end: 1,
  full: 2,
  pause: 2,
}).flatMap(([name, count]) => Array.from({ length: count }, () => name));

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
