import { type ErrorCode, formatTarget, HotplugError, parseTarget } from "../../artifact/mod.ts";
import { type TargetFailure, TargetsFailedError } from "../target_failure.ts";

/** The media type of a failure. */
export const PROBLEM_TYPE = "application/problem+json";

/** A failure as a service tells it (RFC 9457), with the code of the error that it stands for. */
export interface Problem {
  /** Always `about:blank`: the code says more. */
  readonly type: "about:blank";
  /** The status in words. */
  readonly title: string;
  /** The HTTP status. */
  readonly status: number;
  /** The error's message. */
  readonly detail: string;
  /** The error's code. */
  readonly code: string;
  /** The targets that failed, each for a reason of its own. */
  readonly failures?: readonly ToldFailure[];
}

/** A target's failure, as JSON. */
export interface ToldFailure {
  /** The target, as `linux/amd64`. */
  readonly target: string;
  /** The error's code. */
  readonly code: string;
  /** The error's message. */
  readonly message: string;
}

/** The status of each failure that is not the build's own. */
const STATUS: Partial<Record<ErrorCode, readonly [status: number, title: string]>> = {
  options: [400, "Bad Request"],
  unauthorized: [401, "Unauthorized"],
  limit: [413, "Content Too Large"],
  busy: [429, "Too Many Requests"],
  closed: [503, "Service Unavailable"],
  deadline: [504, "Gateway Timeout"],
  remote: [500, "Internal Server Error"],
};

const FAILED = [422, "Unprocessable Content"] as const;
/** What an answer may call its failure; anything else is `remote`. */
const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  "bundle",
  "busy",
  "cancelled",
  "check",
  "closed",
  "compile",
  "conflict",
  "deadline",
  "entry",
  "future",
  "imports",
  "limit",
  "load",
  "lock",
  "name",
  "options",
  "publish",
  "remote",
  "reserve",
  "scn",
  "source",
  "target",
  "toolchain",
  "unauthorized",
  "version",
]);

/** Makes the answer to a request that failed. */
export function problemOf(error: HotplugError): Problem {
  const { code, message } = error;
  const [status, title] = STATUS[code] ?? FAILED;
  const failures = error instanceof TargetsFailedError ? error.failures.map(tellFailure) : [];
  return {
    type: "about:blank",
    title,
    status,
    detail: message,
    code,
    ...(failures.length > 0 && { failures }),
  };
}

/** Writes a target's failure as JSON has it. */
export function tellFailure({ target, error }: TargetFailure): ToldFailure {
  return { target: formatTarget(target), code: error.code, message: error.message };
}

/** Reads what an answer says of a target that failed. */
export function readFailure({ target, code, message }: ToldFailure): TargetFailure {
  return { target: parseTarget(target), error: new HotplugError(codeOf(code), message) };
}

/** Makes an answer's problem the error again that it was; what is no problem is an error of its own. */
export function errorOfProblem(value: unknown, status: number, label: string): HotplugError {
  const { code, detail, failures } = (value ?? {}) as Partial<Record<keyof Problem, unknown>>;
  if (typeof code !== "string" || typeof detail !== "string") {
    return new HotplugError(
      "remote",
      `Cannot build at ${JSON.stringify(label)}: it answers ${status} and is no build service; ` +
        `check the address`,
    );
  }
  const read = (Array.isArray(failures) ? failures : []).map((each) =>
    readFailure(each as ToldFailure)
  );
  return read.length > 0
    ? new TargetsFailedError(read)
    : new HotplugError(codeOf(code), detail, { cause: new Error(`${label} answered ${status}`) });
}

function codeOf(code: string): ErrorCode {
  return CODES.has(code) ? code as ErrorCode : "remote";
}
