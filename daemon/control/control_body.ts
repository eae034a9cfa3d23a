import * as v from "valibot";
import { HotplugError } from "../../artifact/mod.ts";
import { ControlError } from "../control_problem.ts";

/** How much a request may take. */
export interface BodyLimits {
  /** The most bytes of its body. */
  readonly bytes: number;
  /** How long its body may take to come, in milliseconds. */
  readonly milliseconds: number;
}

/**
 * Reads what a request says, as JSON; an empty body says `{}`.
 *
 * @throws {HotplugError} `options` where it is no JSON or not what the schema asks for, `limit` where
 * it is too long, `deadline` where it takes too long.
 */
export async function readBody<T>(
  request: Request,
  schema: v.GenericSchema<unknown, T>,
  limits: BodyLimits,
): Promise<T> {
  const text = await readText(request, limits);
  if (text === "") return check(schema, {}, "body");
  checkType(request.headers.get("content-type"));
  return check(schema, parse(text), "body");
}

/**
 * Checks what a request says.
 *
 * @throws {HotplugError} `options` where it is not what the schema asks for.
 */
export function check<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  const where = path === null ? `The ${what}` : `"${path}" of the ${what}`;
  throw new HotplugError("options", `${where} makes no sense: ${issue.message}`);
}

/** A page can send plain text anywhere without asking; JSON it can't. */
function checkType(type: string | null): void {
  if (/^application\/json\s*(;|$)/i.test(type ?? "")) return;
  throw new ControlError(415, "options", "The body must be application/json");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HotplugError("options", `The body is no JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function readText({ body }: Request, { bytes, milliseconds }: BodyLimits): Promise<string> {
  if (!body) return "";
  const reader = body.getReader();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => {});
  }, milliseconds);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let size = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length;
      if (size > bytes) throw tooLong(bytes);
      text += decoder.decode(next.value, { stream: true });
    }
    text += decoder.decode();
  } catch (cause) {
    await reader.cancel().catch(() => {});
    if (cause instanceof HotplugError) throw cause;
    throw new HotplugError("options", "The body broke off, or is not in UTF-8", { cause });
  } finally {
    clearTimeout(timer);
  }
  if (late) throw new ControlError(408, "deadline", `The body took more than ${milliseconds} ms`);
  return text;
}

function tooLong(bytes: number): HotplugError {
  return new HotplugError("limit", `The body is longer than ${bytes} bytes`);
}
