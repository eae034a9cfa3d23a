import { type ErrorCode, HotplugError } from "../artifact/mod.ts";
import { OwnResponse } from "../plugin/mod.ts";

/** The media type of a failure. */
export const PROBLEM_TYPE = "application/problem+json";

/** A failure as the control tells it (RFC 9457), with the code of the error that it stands for. */
export interface ControlProblem {
  /** Always `about:blank`: the code says more. */
  readonly type: "about:blank";
  /** The status in words. */
  readonly title: string;
  /** The HTTP status. */
  readonly status: number;
  /** The error's message. */
  readonly detail: string;
  /** The error's code; `unexpected` for what is none of hotplug's. */
  readonly code: string;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** The statuses of codes; 422 for all others. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  options: 400,
  name: 400,
  scn: 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  symbol: 404,
  outdated: 409,
  conflict: 409,
  held: 409,
  frozen: 409,
  "approval-required": 409,
  quarantined: 409,
  retired: 409,
  limit: 413,
  busy: 429,
  state: 500,
  call: 502,
  crashed: 502,
  closed: 503,
  memory: 503,
  deadline: 504,
};

/** A failure whose status is not its code's. */
export class ControlError extends HotplugError {
  /** The class's name. */
  override name = "ControlError";
  /** The HTTP status. */
  readonly status: number;
  /** Headers that belong to it. */
  readonly headers: Readonly<Record<string, string>>;

  /** Makes an error that is answered with the status. */
  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code, message);
    this.status = status;
    this.headers = headers;
  }
}

/** The answer for a failure. */
export function problemResponse(error: unknown): Response {
  const { status, code, detail } = describeProblem(error);
  const title = TITLES[status] ?? "Error";
  const problem: ControlProblem = { type: "about:blank", title, status, detail, code };
  return new OwnResponse(`${JSON.stringify(problem)}\n`, {
    status,
    headers: {
      "content-type": PROBLEM_TYPE,
      ...(status === 401 && { "www-authenticate": "Bearer" }),
      ...((status === 429 || status === 503) && { "retry-after": "1" }),
      ...(error instanceof ControlError && error.headers),
    },
  });
}

function describeProblem(error: unknown): Pick<ControlProblem, "status" | "code" | "detail"> {
  if (error instanceof HotplugError) {
    const { code, message: detail } = error;
    const status = error instanceof ControlError ? error.status : STATUS[code] ?? 422;
    return { status, code, detail };
  }
  // What it is in truth is for the daemon's log, not for whoever asks.
  const detail = "The daemon failed at the request; its log tells more";
  return { status: 500, code: "unexpected", detail };
}
