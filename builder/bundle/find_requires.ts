import type { AnyNode, CallExpression, Expression, Node } from "acorn";
import type { Variable } from "eslint-scope";
import { RAW_SHIM_TEXT } from "./require_shim.ts";
import { type Parents, parentsOf, parseModule, variablesOf } from "./syntax_tree.ts";

const MODULE_SPECIFIERS: ReadonlySet<unknown> = new Set(["node:module", "module"]);

/**
 * Finds what a module asks `require` for behind `createRequire`: the literal arguments of every
 * call, in the order of the source, each once. Aliases of `require` are followed; a name that is
 * only known when the module runs is not found.
 */
export function findRequires(source: string): string[] {
  if (!source.includes("createRequire")) return [];
  const tree = parseModule(source);
  const parents = parentsOf(tree);
  const found = new Set<string>();
  for (const call of requireCalls(source, tree, parents)) {
    const name = literalOf(call.arguments[0]);
    if (name !== undefined) found.add(name);
  }
  return [...found];
}

function requireCalls(source: string, tree: Node, parents: Parents): CallExpression[] {
  const variables = variablesOf(tree);
  const makers = variables.filter(importsModule).flatMap((variable) =>
    callsOfMaker(variable, parents)
  );
  const shims = variables.filter((variable) => isRawShim(variable, source));
  const bindings = [
    ...makers.flatMap((call) => bindingOf(call, variables, parents)),
    ...shims,
  ];
  const direct = makers.flatMap((call) => calledAs(call, parents));
  const seen = new Set<Variable>();
  for (const variable of bindings) {
    if (seen.has(variable)) continue;
    seen.add(variable);
    for (const node of readsOf(variable)) {
      direct.push(...calledAs(node, parents));
      bindings.push(...bindingOf(node, variables, parents));
    }
  }
  return direct.sort((a, b) => a.start - b.start);
}

function importsModule(variable: Variable): boolean {
  return variable.defs.some((def) =>
    def.type === "ImportBinding" && def.parent?.type === "ImportDeclaration" &&
    MODULE_SPECIFIERS.has(def.parent.source.value)
  );
}

/** The calls `createRequire(…)`, or `module.createRequire(…)`, of what a binding stands for. */
function callsOfMaker(variable: Variable, parents: Parents): CallExpression[] {
  const calls: CallExpression[] = [];
  const renamed = variable.defs.some(({ node }) =>
    (node as AnyNode).type === "ImportSpecifier" &&
    (node as { imported?: { name?: string } }).imported?.name === "createRequire"
  );
  for (const node of readsOf(variable)) {
    if (renamed) calls.push(...calledAs(node, parents));
    const parent = parents.get(node);
    if (parent?.type !== "MemberExpression" || parent.object !== node) continue;
    const { property } = parent;
    const name = property.type === "Identifier" && !parent.computed
      ? property.name
      : property.type === "PrivateIdentifier"
      ? undefined
      : literalOf(property);
    if (name === "createRequire") calls.push(...calledAs(parent, parents));
  }
  return calls;
}

/** The bundler's own stand-in for `require`, which hands on to the one in scope. */
function isRawShim(variable: Variable, source: string): boolean {
  return variable.defs.some((def) => {
    const init = def.type === "Variable" ? (def.node as { init?: Node | null }).init : undefined;
    return init !== undefined && init !== null && (init as AnyNode).type === "CallExpression" &&
      init.end - init.start < 1000 &&
      source.slice(init.start, init.end).includes(RAW_SHIM_TEXT);
  });
}

/** The variable that the node's value is put into at its declaration. */
function bindingOf(node: Node, variables: readonly Variable[], parents: Parents): Variable[] {
  const parent = parents.get(node);
  const target = parent?.type === "VariableDeclarator" && parent.init === node
    ? parent.id
    : parent?.type === "AssignmentExpression" && parent.right === node
    ? parent.left
    : undefined;
  if (target?.type !== "Identifier") return [];
  return variables.filter((variable) =>
    variable.identifiers.some((each) => each as unknown === target) ||
    variable.references.some((each) => each.identifier as unknown === target)
  );
}

function readsOf(variable: Variable): Node[] {
  return variable.references.filter((each) => each.isRead()).map((each) =>
    each.identifier as unknown as Node
  );
}

function calledAs(callee: Node, parents: Parents): CallExpression[] {
  const parent = parents.get(callee);
  return parent?.type === "CallExpression" && parent.callee === callee ? [parent] : [];
}

function literalOf(node: Expression | { type: "SpreadElement" } | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type !== "TemplateLiteral" || node.expressions.length > 0) return undefined;
  return node.quasis[0]?.value.cooked ?? undefined;
}
