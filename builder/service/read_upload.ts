import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "@std/path";
import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import { DEPENDENCY_PART, OPTIONS_PART, SOURCE_PART } from "../remote/pack_source.ts";
import { parseRemoteRequest, type RemoteRequest } from "../protocol/remote_request.ts";

/** A request to build, its files in a folder. */
export interface Upload {
  /** The options. */
  readonly request: RemoteRequest;
  /** The path of the source, or the package that is one. */
  readonly source: string;
  /** The paths of further sources, by their specifiers. */
  readonly deps: Readonly<Record<string, string>>;
}

const MAX_PARTS = 64;
const MAX_OPTIONS_BYTES = 1024 * 1024;

/**
 * Takes a saved request apart: its options, and its files into a folder. It is done in the child, whose
 * memory it takes and whom alone it can harm.
 *
 * @throws {HotplugError} With code `options`, if it is no such request.
 */
export async function readUpload(
  body: string,
  contentType: string,
  folder: string,
): Promise<Upload> {
  const parts = [...await partsOf(body, contentType)];
  if (parts.length > MAX_PARTS) throw refusal(`it has more than ${MAX_PARTS} parts`);
  await mkdir(folder);
  const deps: Record<string, string> = {};
  let [options, source]: (string | undefined)[] = [];
  for (const [index, [name, value]] of parts.entries()) {
    const before = parts.slice(0, index);
    if (before.some(([other]) => other === name)) {
      throw refusal(`the part ${quote(name)} is there twice`);
    }
    if (name === OPTIONS_PART) options = await readOptions(value);
    else if (typeof value === "string") throw refusal(`the part ${quote(name)} is no file`);
    else if (name === SOURCE_PART) source = await save(value, join(folder, SOURCE_PART));
    else if (name.startsWith(DEPENDENCY_PART)) {
      deps[name.slice(DEPENDENCY_PART.length)] = await save(value, join(folder, `dep-${index}`));
    } else throw refusal(`the part ${quote(name)} is none that it takes`);
  }
  const request = parseRemoteRequest(options ?? "{}");
  if ((source === undefined) === (request.source === undefined)) {
    throw refusal(
      source === undefined
        ? `the part ${quote(SOURCE_PART)} is missing`
        : `it has two sources: the part ${quote(SOURCE_PART)}, and ${quote(request.source ?? "")}`,
    );
  }
  return { request, source: source ?? request.source ?? "", deps };
}

async function partsOf(body: string, contentType: string): Promise<FormData> {
  if (!/^multipart\/form-data\b/i.test(contentType)) {
    throw refusal("it takes multipart/form-data with the parts options and source");
  }
  const bytes = new Uint8Array(await readFile(body));
  try {
    return await new Response(bytes, { headers: { "content-type": contentType } }).formData();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refusal(`it can't be read as multipart/form-data: ${why}`, cause);
  }
}

/** Some clients send JSON as a file. */
async function readOptions(value: File | string): Promise<string> {
  const size = typeof value === "string" ? value.length : value.size;
  if (size > MAX_OPTIONS_BYTES) {
    throw refusal(`the part ${quote(OPTIONS_PART)} is larger than ${MAX_OPTIONS_BYTES} bytes`);
  }
  return typeof value === "string" ? value : await value.text();
}

async function save(file: File, folder: string): Promise<string> {
  await mkdir(folder);
  const path = join(folder, plainName(file.name));
  await writeFile(path, file.stream(), { flag: "wx" });
  return path;
}

/** A source is called by its file: the name counts, and whatever else may be in it does not. */
function plainName(fileName: string): string {
  const last = fileName.split(/[/\\]/).at(-1) ?? "";
  const safe = last.replace(/[^A-Za-z0-9_.-]/g, "-").slice(-100);
  return /^[.-]*$/.test(safe) ? "plugin" : safe;
}

function refusal(why: string, cause?: unknown): HotplugError {
  return new HotplugError("options", `Cannot read the request: ${why}`, { cause });
}
