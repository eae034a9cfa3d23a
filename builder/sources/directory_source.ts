import { copyFile, lstat, mkdir, readdir, realpath } from "node:fs/promises";
import { join, relative, SEPARATOR } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { errnoOf } from "../files/fs_error.ts";
import { quote } from "../quote.ts";
import { throwIfCancelled } from "../cancel.ts";
import type { SourceBudget } from "./source_limits.ts";
import { isLeftOut } from "./source_path.ts";

/** What {@linkcode copyDirectory} needs to know on its way down. */
interface Copying {
  readonly from: string;
  readonly skip: ReadonlySet<string>;
  readonly budget: SourceBudget;
  readonly signal: AbortSignal | undefined;
}

/**
 * Copies a source tree, links resolved, without `node_modules` and `.git`; `skip` holds further
 * folders, by real path.
 *
 * @throws {HotplugError} With code `source`, for a link that leads out of the tree or round in a
 * circle, for what is neither file nor folder, and when a limit is passed.
 */
export async function copyDirectory(
  from: string,
  to: string,
  budget: SourceBudget,
  options: { readonly skip?: Iterable<string>; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const root = await realpath(from);
  const copying = { from: root, skip: new Set(options.skip), budget, signal: options.signal };
  await copyFolder(copying, root, to, [root]);
}

async function copyFolder(
  copying: Copying,
  from: string,
  to: string,
  above: readonly string[],
): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    throwIfCancelled(copying.signal);
    if (isLeftOut(name)) continue;
    const path = join(from, name);
    const real = await realOf(copying, path);
    if (copying.skip.has(real)) continue;
    copying.budget.addEntry();
    const stat = await lstat(real);
    if (stat.isDirectory()) {
      if (above.includes(real)) throw refusal(copying, path, "it is a link to a folder around it");
      await copyFolder(copying, real, join(to, name), [...above, real]);
    } else if (stat.isFile()) {
      copying.budget.addBytes(relative(copying.from, path), stat.size, stat.size);
      await copyFile(real, join(to, name));
    } else {
      throw refusal(copying, path, "it is a device, a pipe or a socket");
    }
  }
}

async function realOf(copying: Copying, path: string): Promise<string> {
  let real: string;
  try {
    real = await realpath(path);
  } catch (cause) {
    const why = errnoOf(cause) === "ELOOP" ? "it is a link to itself" : "it leads nowhere";
    throw refusal(copying, path, why, cause);
  }
  if (real.startsWith(copying.from + SEPARATOR)) return real;
  if (real === copying.from) throw refusal(copying, path, "it is a link to a folder around it");
  throw refusal(copying, path, "it is a link that leads out of the source");
}

function refusal(copying: Copying, path: string, why: string, cause?: unknown): HotplugError {
  return new HotplugError(
    "source",
    `Cannot use ${quote(relative(copying.from, path))} of the source ${quote(copying.from)}: ` +
      `${why}; take it away, or put a plain file there`,
    { cause },
  );
}
