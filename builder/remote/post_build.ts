import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";
import { throwIfCancelled } from "../cancel.ts";
import { OPTIONS_PART, type PackedSources } from "./pack_source.ts";
import { errorOfProblem } from "../protocol/problem.ts";
import type { RemoteConfig } from "../remote_config.ts";

const MAX_PROBLEM_BYTES = 1024 ** 2;
/** Held for as long as their bodies: of one that is collected as garbage Deno (2.9.5) breaks off no body by a signal. */
const ANSWERS = new WeakMap<ReadableStream, Response>();

/**
 * Sends a build to a service and answers with the body of what it answers.
 *
 * @throws {HotplugError} With the code of what failed there; `remote`, if the service can't be
 * reached; `cancelled` if the signal is aborted.
 */
export async function postBuild(
  remote: RemoteConfig,
  parts: PackedSources["parts"],
  signal: AbortSignal | undefined,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const form = new FormData();
  form.append(OPTIONS_PART, JSON.stringify(remote.request));
  for (const { name, file } of parts) form.append(name, file);
  const response = await send(remote, form, signal);
  const { ok, status, body } = response;
  const type = response.headers.get("content-type") ?? "";
  if (ok && body !== null && type.startsWith("application/x-tar")) {
    ANSWERS.set(body, response);
    return body;
  }
  throw errorOfProblem(await readProblem(response), status, remote.label);
}

async function send(
  { endpoint, label, token }: RemoteConfig,
  body: FormData,
  signal: AbortSignal | undefined,
): Promise<Response> {
  throwIfCancelled(signal);
  try {
    return await fetch(endpoint, {
      method: "POST",
      body,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      // Whoever is led elsewhere would take the token along.
      redirect: "manual",
      ...(signal && { signal }),
    });
  } catch (cause) {
    throwIfCancelled(signal);
    throw new HotplugError(
      "remote",
      `Cannot build at ${quote(label)}: it can't be reached: ${
        reasonOf(cause)
      }; check the address, and that ` +
        `the service runs and takes archives of that size`,
      { cause },
    );
  }
}

/** What failed below the request says more than that it failed. */
function reasonOf(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

/** What is no problem is read no further than that is known. */
async function readProblem(response: Response): Promise<unknown> {
  const length = Number(response.headers.get("content-length") ?? 0);
  if (length > MAX_PROBLEM_BYTES || !/json/.test(response.headers.get("content-type") ?? "")) {
    await response.body?.cancel();
    return undefined;
  }
  return await response.json().catch(() => undefined);
}
