/** An error as plain data. */
export interface ErrorFields {
  /** Which constructor makes one like it. */
  readonly type: string;
  /** Its name. */
  readonly name: string;
  /** Its message. */
  readonly message: string;
  /** Its stack trace, as the side that threw it has written it. */
  readonly stack?: string;
  /** Its code, where it has a text or a number for one. */
  readonly code?: string | number;
  /** Its cause; absent if it has none. */
  readonly cause?: Cause;
  /** What an AggregateError holds. */
  readonly errors?: readonly Cause[];
}

/** A cause: an error again, another value, or what stands for one that can't be copied. */
export type Cause = { readonly error: ErrorFields } | { readonly value: unknown };

/** How deep causes are followed. */
const MAX_DEPTH = 8;

/** How many errors of an AggregateError are kept. */
const MAX_ERRORS = 64;

const TYPES: Readonly<Record<string, ErrorConstructor>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/**
 * Takes an error apart: name, message, code, cause and stack.
 *
 * @param copyable Answers with the value, or with a text where it can't be copied.
 */
export function errorFields(
  error: Error,
  copyable: (value: unknown) => unknown,
  depth = 0,
): ErrorFields {
  const read = (key: string): unknown => attempt(() => Reflect.get(error, key));
  const text = (key: string): string => String(attempt(() => `${read(key)}`) ?? "");
  const cause = (value: unknown): Cause => {
    if (!(value instanceof Error)) return { value: copyable(value) };
    if (depth < MAX_DEPTH) return { error: errorFields(value, copyable, depth + 1) };
    return { value: describeThrown(value) };
  };
  const [stack, code, errors] = [read("stack"), read("code"), read("errors")];
  return {
    type: typeOf(error),
    name: text("name"),
    message: text("message"),
    ...(typeof stack === "string" && { stack }),
    ...((typeof code === "string" || typeof code === "number") && { code }),
    ...(attempt(() => "cause" in error) && { cause: cause(read("cause")) }),
    ...(Array.isArray(errors) && { errors: errors.slice(0, MAX_ERRORS).map(cause) }),
  };
}

/** Puts an error together again; its class is one of the language's own. */
export function reviveError(fields: ErrorFields): Error {
  const error = construct(fields);
  const define = (key: string, value: unknown): void =>
    void Object.defineProperty(error, key, { value, configurable: true, writable: true });
  if (error.name !== fields.name) define("name", String(fields.name));
  if (error.message !== fields.message) define("message", String(fields.message));
  if (fields.stack !== undefined) define("stack", String(fields.stack));
  if (fields.code !== undefined && Reflect.get(error, "code") !== fields.code) {
    Object.defineProperty(error, "code", {
      value: fields.code,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  if (fields.cause !== undefined) define("cause", reviveCause(fields.cause));
  return error;
}

/** What was thrown, in one line; never throws. */
export function describeThrown(thrown: unknown): string {
  return attempt(() =>
    thrown instanceof Error
      ? `${thrown.name}: ${thrown.message}`
      : typeof thrown === "string"
      ? thrown
      : Deno.inspect(thrown, { depth: 1 })
  ) ?? "something that can't be shown";
}

function construct({ type, name, message, errors }: ErrorFields): Error {
  if (type === "DOMException") return new DOMException(message, name);
  if (type === "AggregateError") {
    return new AggregateError((errors ?? []).map(reviveCause), message);
  }
  const Type = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  return new (Type ?? Error)(message);
}

function reviveCause(cause: Cause): unknown {
  return "error" in cause ? reviveError(cause.error) : cause.value;
}

function typeOf(error: Error): string {
  if (error instanceof DOMException) return "DOMException";
  if (error instanceof AggregateError) return "AggregateError";
  return Object.keys(TYPES).findLast((type) => error instanceof (TYPES[type] ?? Error)) ?? "Error";
}

/** What a plugin throws may have getters that throw in turn. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
