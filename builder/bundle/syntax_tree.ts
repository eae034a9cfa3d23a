import { type AnyNode, type Node, parse } from "acorn";
import { analyze, type Variable } from "eslint-scope";
import { HotplugError } from "../../artifact/mod.ts";

/** The node around each node. */
export type Parents = ReadonlyMap<Node, AnyNode>;

/**
 * Parses a bundle.
 *
 * @throws {HotplugError} With code `bundle`, if it is no module.
 */
export function parseModule(source: string): Node {
  try {
    return parse(source, { ecmaVersion: "latest", sourceType: "module", ranges: true });
  } catch (cause) {
    throw new HotplugError("bundle", "Cannot read the bundle: it is no module", { cause });
  }
}

/** The variables of all scopes, each with its references. */
export function variablesOf(tree: Node): Variable[] {
  const manager = analyze(tree as unknown as Parameters<typeof analyze>[0], {
    ecmaVersion: 2024,
    sourceType: "module",
  });
  return manager.scopes.flatMap((scope) => scope.variables);
}

/** Finds the node around each node. */
export function parentsOf(root: Node): Parents {
  const parents = new Map<Node, AnyNode>();
  const open: Node[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (!isNode(child)) continue;
        parents.set(child, node as AnyNode);
        open.push(child);
      }
    }
  }
  return parents;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
