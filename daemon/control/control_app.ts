import * as v from "valibot";
import { type Context, Hono } from "hono";
import { HotplugError } from "../../artifact/mod.ts";
import { OwnResponse, ownResponse } from "../../plugin/mod.ts";
import { check, readBody } from "./control_body.ts";
import { checkControlAccess, type ControlDoor } from "./control_guard.ts";
import { ControlError, problemResponse } from "../control_problem.ts";
import type { ControlRoute } from "./control_route.ts";
import { controlRoutes } from "./control_routes.ts";
import type { ControlWorld } from "./control_world.ts";

type Env = { readonly Bindings: { readonly door: ControlDoor } };

/** The function from a request, and the door that it came in by, to its answer. */
export type ControlApp = (request: Request, door: ControlDoor) => Promise<Response>;

const DOCUMENT = "/v1/openapi.json";

/** Makes the function that answers for a daemon; what fails is answered as a problem. */
export function controlApp(world: ControlWorld): ControlApp {
  const routes = controlRoutes();
  const open = new Set(routes.filter((each) => each.open).map(({ path }) => path));
  const app = new Hono<Env>();
  app.use(async ({ req, env }, next) => {
    if (!open.has(req.path)) checkControlAccess(req.raw, env.door);
    await next();
  });
  for (const each of routes) {
    app.on(
      each.method.toUpperCase(),
      honoPath(each.path),
      (context) => serve(each, world, context),
    );
  }
  app.get(DOCUMENT, async (context) => {
    // Only here: most daemons are never asked, and it takes a library.
    const { openApiDocument } = await import("./openapi.ts");
    return context.json(openApiDocument(routes));
  });
  refuseOtherMethods(app, routes);
  app.notFound(() => {
    throw new HotplugError(
      "not-found",
      `There is no such thing here; ${DOCUMENT} says what there is`,
    );
  });
  app.onError((error) => {
    if (!(error instanceof HotplugError)) world.failed(error);
    return problemResponse(error);
  });
  // hono makes some of its answers by what the class is called.
  return async (request, door) => ownResponse(await app.fetch(request, { door }));
}

const NO_QUERY = v.strictObject({});

async function serve(
  { query, body, handle }: ControlRoute,
  world: ControlWorld,
  context: Context<Env>,
): Promise<Response> {
  const { req } = context;
  // What is meant for the body would be passed over there.
  if (body && !query) check(NO_QUERY, req.query(), "query");
  const answer = await handle(world, {
    path: req.param() as Record<string, string>,
    query: query && check(query, req.query(), "query"),
    body: body && await readBody(req.raw, body, world.limits),
    headers: req.raw.headers,
  });
  return answer instanceof OwnResponse ? answer : context.json(answer as object);
}

function refuseOtherMethods(app: Hono<Env>, routes: readonly ControlRoute[]): void {
  const methods = Map.groupBy(routes, ({ path }) => path);
  const allowed = [...methods].map(([path, all]) =>
    [honoPath(path), all.map(({ method }) => method.toUpperCase()).join(", ")] as const
  );
  for (const [path, allow] of [...allowed, [DOCUMENT, "GET"] as const]) {
    app.all(path, () => {
      throw new ControlError(405, "options", `It takes ${allow}`, { allow });
    });
  }
}

function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}
