import * as v from "valibot";
import { HotplugError, parseScn } from "../../artifact/mod.ts";
import { OwnResponse } from "../../plugin/mod.ts";
import { pluginRoutes } from "./control_plugin_routes.ts";
import { type ControlRoute, route } from "./control_route.ts";
import {
  changedSchema,
  emptySchema,
  logLevelSchema,
  quarantineSchema,
  statusSchema,
} from "./control_schemas.ts";

/** All that a control can be asked for. */
export function controlRoutes(): ControlRoute[] {
  return [...daemonRoutes(), ...pluginRoutes(), ...probeRoutes()];
}

function daemonRoutes(): ControlRoute[] {
  return [
    route({
      method: "get",
      path: "/v1/status",
      id: "getStatus",
      summary: "How the daemon stands",
      answer: statusSchema,
      handle: ({ target }) => target.status(),
    }),
    route({
      method: "get",
      path: "/v1/events",
      id: "streamEvents",
      summary:
        "The events, as server-sent events; the header Last-Event-ID goes on after an event, or after " +
        "where an answer began, which its own header of that name tells. " +
        "An event `gap` tells that some are not to be had any more",
      query: eventsQuery,
      answer: "text/event-stream",
      fails: [429],
      handle: ({ events }, { headers, query: { last, follow } }) => {
        const lastId = headers.get("last-event-id") || null;
        const { id, stream } = events.open({
          ...(lastId !== null && { lastId }),
          ...(last !== undefined && { last: Number(last) }),
          follow: follow !== "false",
        });
        return new OwnResponse(stream, {
          headers: {
            "content-type": "text/event-stream",
            "cache-control": "no-store",
            "last-event-id": id,
          },
        });
      },
    }),
    route({
      method: "post",
      path: "/v1/rescan",
      id: "rescan",
      summary: "Looks at all folders now; answers once what was found is loaded, or has failed to",
      body: emptySchema,
      answer: statusSchema,
      handle: async ({ target }) => {
        await target.scan();
        return target.status();
      },
    }),
    ...quarantineRoutes(),
    ...logLevelRoutes(),
  ];
}

const eventsQuery = v.strictObject({
  last: v.exactOptional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,9}$/, "give a whole number, from 0 to 999999999"),
      v.description("So many of the newest come first"),
    ),
  ),
  follow: v.exactOptional(
    v.pipe(v.picklist(["true", "false"]), v.description("false: ends with the newest")),
  ),
});

function quarantineRoutes(): ControlRoute[] {
  return [
    route({
      method: "get",
      path: "/v1/quarantine",
      id: "listQuarantine",
      summary: "The versions in quarantine",
      answer: quarantineSchema,
      handle: ({ target }) => target.quarantine(),
    }),
    route({
      method: "delete",
      path: "/v1/quarantine/{name}/{scn}",
      id: "releaseQuarantine",
      summary: "Lets a version out of quarantine, and scans",
      answer: changedSchema,
      fails: [400, 404],
      handle: async ({ target }, { path: { name = "", scn = "" } }) => {
        if (await target.releaseQuarantine(name, parseScn(scn))) return { changed: true };
        throw new HotplugError(
          "not-found",
          `There is no version ${scn} of plugin "${name}" in quarantine`,
        );
      },
    }),
  ];
}

function logLevelRoutes(): ControlRoute[] {
  return [
    route({
      method: "get",
      path: "/v1/log-level",
      id: "getLogLevel",
      summary: "What is logged",
      answer: logLevelSchema,
      handle: ({ target }) => ({ level: target.logLevel }),
    }),
    route({
      method: "put",
      path: "/v1/log-level",
      id: "setLogLevel",
      summary: "Sets what is logged from now on",
      body: logLevelSchema,
      answer: logLevelSchema,
      handle: ({ target }, { body: { level } }) => {
        target.setLogLevel(level);
        return { level: target.logLevel };
      },
    }),
  ];
}

function probeRoutes(): ControlRoute[] {
  return [
    route({
      method: "get",
      path: "/livez",
      id: "isAlive",
      summary: "Whether the process turns",
      answer: "text/plain",
      open: true,
      handle: () => new OwnResponse("ok\n"),
    }),
    route({
      method: "get",
      path: "/readyz",
      id: "isReady",
      summary:
        "Whether the first scan is done, and all that was there was opened, but for bare modules that may " +
        "still be written",
      answer: "text/plain",
      fails: [503],
      open: true,
      handle: ({ target }) => {
        if (target.status().ready) return new OwnResponse("ok\n");
        throw new HotplugError("closed", "The daemon is not ready yet, or closes");
      },
    }),
    route({
      method: "get",
      path: "/metrics",
      id: "getMetrics",
      summary: "Metrics, in Prometheus' text format",
      answer: "text/plain",
      handle: async ({ metrics }) =>
        new OwnResponse(await metrics.text(), { headers: { "content-type": metrics.contentType } }),
    }),
  ];
}
