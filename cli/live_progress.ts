import process from "node:process";
import { Listr, ListrLogger, type ListrTask, ProcessOutput } from "listr2";
import type { BuildProgress } from "../builder/mod.ts";

/** Steps of a build, drawn anew in their place as it goes on. */
export interface LiveProgress {
  /** Draws how far the build is; `text` says it. */
  tell(progress: BuildProgress, text: string): void;
  /** Ends the drawing; a failure is shown at the step where it came. */
  end(failed: boolean): Promise<void>;
}

type StepName = "unpack" | "bundle" | "compile" | "publish";

interface Step {
  readonly name: StepName;
  readonly ended: PromiseWithResolvers<void>;
  /** What was told so far; the last one is its title once it is done. */
  readonly told: string[];
  /** Draws what was told. */
  draw: () => void;
}

/** Where each kind of progress belongs, and whether the step is done with it. */
const PLACES: Record<BuildProgress["type"], readonly [StepName, "goes on" | "done"] | undefined> = {
  fetched: undefined,
  unpacked: ["unpack", "done"],
  bundled: ["bundle", "done"],
  compiled: ["compile", "goes on"],
  reserved: ["publish", "goes on"],
  published: ["publish", "goes on"],
};

/** Begins to draw on standard error, which is a terminal. */
export function liveProgress(mode: "module" | "executable"): LiveProgress {
  const names: StepName[] = mode === "module"
    ? ["unpack", "bundle", "publish"]
    : ["unpack", "bundle", "compile", "publish"];
  const steps = names.map(stepOf);
  let current = 0;
  const advance = (to: number): void => {
    for (; current < to; current++) steps[current]?.ended.resolve();
  };
  const running = draw(steps);
  return {
    tell(progress, text) {
      const [name, state] = PLACES[progress.type] ?? [steps[current]?.name, "goes on"];
      const at = steps.findIndex((step) => step.name === name);
      // Not every build has every step: a service tells of its result only.
      advance(at);
      steps[at]?.told.push(text);
      steps[at]?.draw();
      if (state === "done") advance(at + 1);
    },
    async end(failed) {
      if (failed) steps[current]?.ended.reject(new Error("failed"));
      else advance(steps.length);
      await running;
    },
  };
}

function stepOf(name: StepName): Step {
  const step = { name, ended: Promise.withResolvers<void>(), told: [], draw: () => {} };
  step.ended.promise.catch(() => {}); // not every step is reached
  return step;
}

async function draw(steps: readonly Step[]): Promise<void> {
  const output = new ProcessOutput(process.stderr, process.stderr, { leaveEmptyLine: false });
  const list = new Listr(steps.map(taskOf), {
    renderer: "default",
    // Signals are the command's to handle.
    registerSignalListeners: false,
    rendererOptions: {
      logger: new ListrLogger({ useIcons: true, toStderr: [], processOutput: output }),
      showErrorMessage: false,
      collapseErrors: false,
    },
  });
  // The failure is the build's, which reports it.
  await list.run().catch(() => {});
}

function taskOf(step: Step): ListrTask {
  return {
    title: step.name,
    rendererOptions: { persistentOutput: true, outputBar: Infinity },
    async task(_, task) {
      let drawn = 0;
      step.draw = () => {
        for (; drawn < step.told.length; drawn++) task.output = step.told[drawn] ?? "";
      };
      step.draw();
      await step.ended.promise;
    },
  };
}
