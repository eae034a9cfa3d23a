import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import project from "../../deno.json" with { type: "json" };
import { PROBLEM_TYPE } from "../control_problem.ts";
import type { ControlRoute } from "./control_route.ts";
import {
  changedSchema,
  eventSchema,
  invokedSchema,
  logLevelSchema,
  pluginAnswerSchema,
  pluginSchema,
  pluginsSchema,
  problemSchema,
  quarantineSchema,
  statusSchema,
} from "./control_schemas.ts";

/** What any route may fail with. */
const ANY = [401, 403, 500, 503];
/** What a route may fail with that reads a body. */
const OF_BODY = [400, 408, 413, 415];

const COMPONENTS: Readonly<Record<string, v.GenericSchema>> = {
  Changed: changedSchema,
  Event: eventSchema,
  Invoked: invokedSchema,
  LogLevel: logLevelSchema,
  Plugin: pluginSchema,
  PluginAnswer: pluginAnswerSchema,
  Plugins: pluginsSchema,
  Problem: problemSchema,
  Quarantine: quarantineSchema,
  Status: statusSchema,
};

/** The OpenAPI 3.1 document of these routes. */
export function openApiDocument(routes: readonly ControlRoute[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const each of routes) (paths[each.path] ??= {})[each.method] = operation(each);
  return {
    openapi: "3.1.0",
    info: {
      title: "hotplug daemon control",
      version: project.version,
      description:
        "Drives and observes a running hotplug daemon. Over its unix socket no token is " +
        "asked for; over TCP always. Failures are application/problem+json with hotplug's code.",
      license: { name: project.license, identifier: project.license },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: Object.fromEntries(
        Object.entries(COMPONENTS).map(([name, schema]) => [name, schemaOf(schema)]),
      ),
    },
  };
}

function operation(it: ControlRoute): Record<string, unknown> {
  const { id, summary, body, answer, open, fails = [] } = it;
  const failures = open
    ? fails
    : [...ANY, ...body ? OF_BODY : [], ...it.query ? [400] : [], ...fails];
  const problem = { [PROBLEM_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } };
  return {
    operationId: id,
    summary,
    ...(open && { security: [] }),
    parameters: [...pathParameters(it), ...queryParameters(it)],
    ...(body && { requestBody: { content: { "application/json": { schema: schemaOf(body) } } } }),
    responses: {
      200: { description: "Done", content: contentOf(answer) },
      ...Object.fromEntries(
        failures.map((status) => [status, { description: "Failed", content: problem }]),
      ),
    },
  };
}

function contentOf(answer: ControlRoute["answer"]): Record<string, unknown> {
  if (typeof answer === "string") return { [answer]: { schema: { type: "string" } } };
  const [name] = Object.entries(COMPONENTS).find(([, schema]) => schema === answer) ?? [];
  const schema = name ? { $ref: `#/components/schemas/${name}` } : schemaOf(answer);
  return { "application/json": { schema } };
}

function pathParameters({ path }: ControlRoute): unknown[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters({ query }: ControlRoute): unknown[] {
  return Object.entries(query?.entries ?? {}).map(([name, entry]) => ({
    name,
    in: "query",
    required: false,
    schema: schemaOf((entry as unknown as { wrapped: v.GenericSchema }).wrapped),
  }));
}

function schemaOf(schema: v.GenericSchema): Record<string, unknown> {
  // What it says is all that matters: the dialect is OpenAPI 3.1's own.
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
  });
  return rest;
}
