import { assertPluginName, HotplugError } from "../../artifact/mod.ts";
import type { PluginStatus } from "../../manager/mod.ts";
import { type ControlRoute, route } from "./control_route.ts";
import {
  approveSchema,
  emptySchema,
  invokedSchema,
  invokeSchema,
  type PluginAnswer,
  pluginAnswerSchema,
  pluginSchema,
  pluginsSchema,
  rollbackSchema,
} from "./control_schemas.ts";
import type { ControlTarget } from "./control_target.ts";
import { invoke } from "./control_invoke.ts";

/** What a route may fail with that loads or activates a version. */
const OF_LOADING = [404, 409, 413, 422, 502, 504];

/** What can be asked for of plugins. */
export function pluginRoutes(): ControlRoute[] {
  return [...listRoutes(), ...versionRoutes(), ...holdRoutes(), invokeRoute];
}

function listRoutes(): ControlRoute[] {
  return [
    route({
      method: "get",
      path: "/v1/plugins",
      id: "listPlugins",
      summary: "The plugins, with their generations in memory",
      answer: pluginsSchema,
      handle: ({ target }) => target.status().plugins,
    }),
    route({
      method: "get",
      path: "/v1/plugins/{name}",
      id: "getPlugin",
      summary: "A plugin, with its generations in memory, oldest first",
      answer: pluginSchema,
      fails: [400, 404],
      handle: ({ target }, { path: { name = "" } }) => {
        assertPluginName(name);
        const plugin = target.manager.statusOf(name);
        if (plugin) return plugin;
        throw new HotplugError(
          "not-found",
          target.knows(name)
            ? `Nothing of plugin "${name}" is loaded; its events tell why`
            : `There is no plugin "${name}" here`,
        );
      },
    }),
  ];
}

function versionRoutes(): ControlRoute[] {
  return [
    route({
      method: "post",
      path: "/v1/plugins/{name}/rollback",
      id: "rollback",
      summary: "Takes an older generation back into use, and holds what was current",
      body: rollbackSchema,
      answer: pluginAnswerSchema,
      fails: OF_LOADING,
      handle: async ({ target }, { path: { name = "" }, body }) => {
        assertPluginName(name);
        await target.rollback(name, body);
        return answer(target, name, true);
      },
    }),
    route({
      method: "post",
      path: "/v1/plugins/{name}/approve",
      id: "approve",
      summary: "Opens a version that waits for an approval, the newest one if no other is named",
      body: approveSchema,
      answer: pluginAnswerSchema,
      fails: OF_LOADING,
      handle: async ({ target }, { path: { name = "" }, body }) => {
        assertPluginName(name);
        await target.approve(name, body);
        return answer(target, name, true);
      },
    }),
  ];
}

function holdRoutes(): ControlRoute[] {
  return [
    holdRoute("freeze", "Keeps the plugin as it is until it is thawed", async (target, name) => {
      const changed = !target.manager.statusOf(name)?.frozen;
      await target.freeze(name);
      return changed;
    }),
    holdRoute("thaw", "Ends a freeze, and scans", (target, name) => target.thaw(name)),
    holdRoute(
      "release",
      "Lifts the hold of a rollback, and scans",
      (target, name) => target.release(name),
    ),
  ];
}

function holdRoute(
  what: string,
  summary: string,
  act: (target: ControlTarget, name: string) => Promise<boolean>,
): ControlRoute {
  return route({
    method: "post",
    path: `/v1/plugins/{name}/${what}`,
    id: what,
    summary,
    body: emptySchema,
    answer: pluginAnswerSchema,
    handle: async ({ target }, { path: { name = "" } }) => {
      assertPluginName(name);
      return answer(target, name, await act(target, name));
    },
  });
}

const invokeRoute: ControlRoute = route({
  method: "post",
  path: "/v1/plugins/{name}/invoke",
  id: "invoke",
  summary: "Calls a symbol of the current generation; only where the daemon allows it",
  body: invokeSchema,
  answer: invokedSchema,
  fails: [404, 409, 422, 429, 502, 504],
  handle: ({ target, allowInvoke }, { path: { name = "" }, body }) => {
    if (!allowInvoke) {
      throw new HotplugError(
        "forbidden",
        "Calls are turned off here; start the daemon with --allow-invoke",
      );
    }
    assertPluginName(name);
    return invoke(target, name, body);
  },
});

function answer(target: ControlTarget, name: string, changed: boolean): PluginAnswer {
  const nothing: PluginStatus = { name, frozen: false, calls: 0, errors: 0, generations: [] };
  return { changed, known: target.knows(name), plugin: target.manager.statusOf(name) ?? nothing };
}
