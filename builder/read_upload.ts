import { Busboy, type BusboyInstance } from "@fastify/busboy";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { join } from "@std/path";
import { HotplugError } from "../artifact/mod.ts";
import { quote } from "./_quote.ts";
import { DEPENDENCY_PART, OPTIONS_PART, SOURCE_PART } from "./pack_source.ts";
import { parseRemoteRequest, type RemoteRequest } from "./remote_request.ts";

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
const LIMITS = { parts: MAX_PARTS + 1, fieldSize: MAX_OPTIONS_BYTES, fieldNameSize: 256 };

/**
 * Takes a saved request apart: its options, and its files into a folder.
 *
 * @throws {HotplugError} With code `options`, if it is no such request.
 */
export async function readUpload(
  body: string,
  contentType: string,
  folder: string,
): Promise<Upload> {
  const { fields, files } = await split(body, contentType, folder);
  const request = parseRemoteRequest(await optionsIn(fields, files));
  const deps: Record<string, string> = {};
  let source = request.source;
  for (const [name, path] of files) {
    if (name.startsWith(DEPENDENCY_PART)) deps[name.slice(DEPENDENCY_PART.length)] = path;
    else if (name === SOURCE_PART && source === undefined) source = path;
    else throw refusal(`the part ${quote(name)} is none that it takes, or one source too many`);
  }
  if (source === undefined) throw refusal(`the part ${quote(SOURCE_PART)} is missing, or no file`);
  return { request, source, deps };
}

/** Some clients send JSON as a file. */
async function optionsIn(fields: Parts["fields"], files: Parts["files"]): Promise<string> {
  const path = files.get(OPTIONS_PART);
  files.delete(OPTIONS_PART);
  if (path === undefined) return fields.get(OPTIONS_PART) ?? "{}";
  if ((await stat(path)).size <= MAX_OPTIONS_BYTES) return await readFile(path, "utf8");
  throw refusal(`the part ${quote(OPTIONS_PART)} is larger than ${MAX_OPTIONS_BYTES} bytes`);
}

interface Parts {
  readonly fields: Map<string, string>;
  readonly files: Map<string, string>;
}

async function split(body: string, contentType: string, folder: string): Promise<Parts> {
  const parts: Parts = { fields: new Map(), files: new Map() };
  const parser = parserOf(contentType);
  const streams: Readable[] = [];
  const saving: Promise<void>[] = [];
  let count = 0;
  /** Tells whether a part is one to take; what is thrown in a listener would reach nobody. */
  const takes = (name: string, cut = false): boolean => {
    const fault = ++count > MAX_PARTS
      ? `it has more than ${MAX_PARTS} parts`
      : parts.fields.has(name) || parts.files.has(name)
      ? `the part ${quote(name)} is there twice`
      : cut
      ? `the part ${quote(name)} is larger than ${MAX_OPTIONS_BYTES} bytes`
      : undefined;
    if (fault !== undefined) parser.destroy(refusal(fault));
    return fault === undefined;
  };
  parser.on("field", (name, value, _, cut) => {
    if (takes(name, cut)) parts.fields.set(name, value);
  });
  parser.on("file", (name, content, fileName) => {
    streams.push(content);
    if (!takes(name)) return;
    const path = join(folder, String(count), plainName(fileName));
    parts.files.set(name, path);
    saving.push(save(content, path));
  });
  try {
    await mkdir(folder);
    await pipeline(createReadStream(body), parser);
    await Promise.all(saving);
  } catch (cause) {
    for (const stream of streams) stream.destroy();
    await Promise.allSettled(saving);
    if (cause instanceof HotplugError) throw cause;
    throw refusal(`it can't be read as multipart/form-data: ${(cause as Error).message}`, cause);
  }
  return parts;
}

function parserOf(contentType: string): BusboyInstance {
  try {
    return new Busboy({ headers: { "content-type": contentType }, limits: LIMITS });
  } catch (cause) {
    throw refusal("it takes multipart/form-data with the parts options and source", cause);
  }
}

async function save(content: Readable, path: string): Promise<void> {
  await mkdir(join(path, ".."));
  await pipeline(content, createWriteStream(path, { flags: "wx" }));
}

/** A source is called by its file: the name counts, and whatever else may be in it does not. */
function plainName(fileName: string | undefined): string {
  const last = (fileName ?? "").split(/[/\\]/).at(-1) ?? "";
  const safe = last.replace(/[^A-Za-z0-9_.-]/g, "-").slice(-100);
  return /^[.-]*$/.test(safe) ? "plugin" : safe;
}

function refusal(why: string, cause?: unknown): HotplugError {
  return new HotplugError("options", `Cannot read the request: ${why}`, { cause });
}
