import { importUrl } from "./import_url.ts";

/** A module that is to be imported. */
export interface ComingModule {
  /** URL to import. */
  readonly url: string;
  /** URL of a folder of its own, with a slash at the end. */
  readonly directoryUrl: string;
  /** How many bytes it has. */
  readonly size: number;
}

/** Modules that are read together. */
interface Batch {
  readonly modules: ComingModule[];
  readonly done: Promise<void>;
}

/**
 * Only what is small, in bytes, and so many at a time: nobody else can import meanwhile, and of what is
 * large it would save little.
 */
const SMALL = 128 * 1024;
const MOST = 32;
/** In milliseconds. What takes longer waits for somebody else's import; the modules do so by themselves. */
const LONGEST = 250;

let last = Promise.resolve();
let gathering: Batch | undefined;

/**
 * Lets Deno read what is imported together at one go; resolves once the module may be imported.
 *
 * At each import of what it does not know, Deno copies what it knows of all modules of the program: about
 * a millisecond for a program of three hundred, of which hotplug alone has as many. So where several come
 * at once, as at a start, a module that is never run comes first, with an import of each of them in it: by
 * that Deno knows them all. What can't be read is told where it is imported itself.
 */
export async function readAhead(module: ComingModule): Promise<void> {
  if (module.size > SMALL) return;
  if (!gathering || gathering.modules.length === MOST) gathering = begin();
  gathering.modules.push(module);
  await gathering.done;
}

/** In a later turn, so that what comes in one is read together; and what comes while others are read. */
function begin(): Batch {
  const modules: ComingModule[] = [];
  const done = last = last.then(() => {
    if (gathering?.modules === modules) gathering = undefined;
    return readAll(modules);
  });
  return { modules, done };
}

async function readAll(modules: readonly ComingModule[]): Promise<void> {
  const [first] = modules;
  if (!first || modules.length === 1) return;
  const names = modules.map(({ url }) => `import(${JSON.stringify(url)})`);
  // A file of a name that comes again after a restart: Deno's cache has a row for each.
  const url = new URL("ahead.mjs", first.directoryUrl);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, LONGEST));
  try {
    Deno.writeTextFileSync(url, `export default () => [${names.join(",\n")}];\n`, NEW);
    await Promise.race([importUrl(url.href), late]);
  } catch {
    // It only saves time.
  } finally {
    clearTimeout(timer);
  }
}

const NEW = { createNew: true, mode: 0o600 };
