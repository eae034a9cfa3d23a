import { assert, assertEquals } from "@std/assert";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";

type Json = Readonly<Record<string, unknown>>;

/** An operation of a document. */
export interface Operation {
  /** Its name in the document. */
  readonly id: string;
  /** The method, in small letters. */
  readonly method: string;
  /** The path, as the document has it. */
  readonly path: string;
  /** The document's word on it. */
  readonly says: Json;
}

/** An OpenAPI document that answers are held against. */
export interface DocumentChecker {
  /** All its operations. */
  readonly operations: readonly Operation[];
  /** Fails unless the answer is one that the document names; resolves to its body, JSON if it is. */
  check(method: string, path: string, response: Response): Promise<unknown>;
  /** Fails unless the value is as a component of the document says. */
  checkComponent(name: string, value: unknown): void;
}

/** Makes a checker. What objects have beyond what the document names fails, but for events. */
export function documentChecker(document: Json): DocumentChecker {
  const { paths, components } = closed(document) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
    readonly components: Json;
  };
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  // deno-lint-ignore no-explicit-any -- its types take it for a module
  (formats as any)(ajv);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, says]) => ({
      id: String(says.operationId),
      method,
      path,
      says,
    }))
  );
  const validate = (schema: Json, value: unknown, what: string): void => {
    const valid = ajv.validate({ ...schema, components }, value);
    assert(valid, `${what}: ${ajv.errorsText()} in ${JSON.stringify(value)}`);
  };
  return {
    operations,
    checkComponent: (name, value) =>
      validate({ $ref: `#/components/schemas/${name}` }, value, name),
    async check(method, path, response) {
      const what = `${method} ${path} → ${response.status}`;
      const operation = find(operations, method, path);
      assert(operation, `${what}: the document has no such operation`);
      const answers = operation.says.responses as Record<string, { content: Record<string, Json> }>;
      const answer = answers[response.status];
      const text = await response.text();
      assert(answer, `${what}: the document has no such status; ${text}`);
      const [type = ""] = response.headers.get("content-type")?.split(";") ?? [];
      assert(type in answer.content, `${what}: the document has no ${type}`);
      if (!type.endsWith("json")) return text;
      const value = JSON.parse(text);
      validate(answer.content[type]?.schema as Json, value, what);
      if (!response.ok) assertEquals((value as { status: unknown }).status, response.status);
      return value;
    },
  };
}

function find(
  operations: readonly Operation[],
  method: string,
  path: string,
): Operation | undefined {
  const [name = ""] = path.split("?");
  return operations.find((each) =>
    each.method === method.toLowerCase() &&
    new RegExp(`^${each.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(name)
  );
}

/** With `additionalProperties: false` wherever nothing is said of further ones. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closed(each)]));
  const isObject = copy.type === "object" && typeof copy.properties === "object";
  return isObject && !("additionalProperties" in copy)
    ? { ...copy, additionalProperties: false }
    : copy;
}
