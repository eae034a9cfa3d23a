import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { HotplugError } from "../../artifact/mod.ts";
import { type Problem, PROBLEM_TYPE, problemOf } from "../protocol/problem.ts";
import { checkAccess } from "./service_guard.ts";
import type { ServiceStatus } from "./service_status.ts";

/** What the routes of a service lead to. */
export interface ServiceRoutes {
  /** What a request must bring along; undefined where only this machine is served. */
  readonly token: string | undefined;
  /** How it is. */
  status(): ServiceStatus;
  /** Builds what the request holds. */
  build(request: Request, outgoing: Outgoing): Promise<Response>;
  /** Told of a request that was refused. */
  refused(error: HotplugError): void;
}

/** The way back to who asked: it closes when the answer is sent, or who asked has gone. */
export type Outgoing = HttpBindings["outgoing"];
type Env = { readonly Bindings: HttpBindings };

/** Makes the function from a request to its answer; what fails is answered as a problem. */
export function serviceApp(routes: ServiceRoutes): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async ({ req }, next) => {
    checkAccess(req.raw, routes.token);
    await next();
  });
  app.get("/v1/api/status", (context) => context.json(routes.status()));
  app.post("/v1/api/build", ({ req, env }) => routes.build(req.raw, env.outgoing));
  app.all("/v1/api/status", () => notAllowed("GET"));
  app.all("/v1/api/build", () => notAllowed("POST"));
  app.notFound(() =>
    problem({
      type: "about:blank",
      title: "Not Found",
      status: 404,
      detail: "There is no such thing here; there are GET /v1/api/status and POST /v1/api/build",
      code: "not-found",
    })
  );
  app.onError((error) => {
    const told = error instanceof HotplugError ? error : unforeseen(error);
    routes.refused(told);
    return answerOf(told);
  });
  return app;
}

/** Answers with a failure. */
export function answerOf(error: HotplugError): Response {
  const told = problemOf(error);
  const headers: Record<string, string> = {};
  if (told.status === 401) headers["www-authenticate"] = "Bearer";
  if (told.status === 429 || told.status === 503) headers["retry-after"] = "5";
  return problem(told, headers);
}

function notAllowed(allow: string): Response {
  return problem({
    type: "about:blank",
    title: "Method Not Allowed",
    status: 405,
    detail: `It takes ${allow}`,
    code: "options",
  }, { allow });
}

function problem(
  body: Problem,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${JSON.stringify(body)}\n`, {
    status: body.status,
    headers: { "content-type": PROBLEM_TYPE, ...headers },
  });
}

/** What it is in truth is for the log of the service, not for whoever asks. */
function unforeseen(cause: unknown): HotplugError {
  return new HotplugError("remote", "The build service failed at the request; tell who runs it", {
    cause,
  });
}
