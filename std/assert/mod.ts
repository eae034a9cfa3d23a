/**
 * Stand-in for `jsr:@std/assert`: the functions in use, over `node:assert`.
 *
 * @module
 */

import nodeAssert from "node:assert";

/** Thrown when an assertion fails. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

/** Asserts that the expression is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

function viaNode(check: () => void, msg?: string): void {
  try {
    check();
  } catch (error) {
    const suffix = msg ? `: ${msg}` : "";
    throw new AssertionError(`${(error as Error).message}${suffix}`, { cause: error });
  }
}

/** Asserts that both values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  viaNode(() => nodeAssert.deepStrictEqual(actual, expected), msg);
}

/** Asserts that the values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  viaNode(() => nodeAssert.notDeepStrictEqual(actual, expected), msg);
}

/** Asserts that both are the same value or reference. */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): void {
  viaNode(() => nodeAssert.strictEqual(actual, expected), msg);
}

/** Asserts that the string contains the other one. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (actual.includes(expected)) return;
  const suffix = msg ? `: ${msg}` : ".";
  throw new AssertionError(`Expected actual: "${actual}" to contain: "${expected}"${suffix}`);
}

/** Asserts that the string matches the expression. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (expected.test(actual)) return;
  const suffix = msg ? `: ${msg}` : ".";
  throw new AssertionError(`Expected actual: "${actual}" to match: "${expected}"${suffix}`);
}

/** Asserts that the error is an instance of the class and its message includes the text. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  // deno-lint-ignore no-explicit-any
  ErrorClass?: abstract new (...args: any[]) => E,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  const suffix = msg ? `: ${msg}` : ".";
  if (!(error instanceof Error)) {
    throw new AssertionError(`Expected "error" to be an Error object${suffix}`);
  }
  if (ErrorClass && !(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${ErrorClass.name}", but was "${error.constructor.name}": ${error.stack}${suffix}`,
    );
  }
  const matches = msgMatches === undefined ||
    (typeof msgMatches === "string"
      ? error.message.includes(msgMatches)
      : msgMatches.test(error.message));
  if (!matches) {
    throw new AssertionError(
      `Expected error message to match "${msgMatches}", but got "${error.message}"${suffix}`,
    );
  }
}

/** Asserts that the function throws; answers with what was thrown. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  // deno-lint-ignore no-explicit-any
  ErrorClass?: abstract new (...args: any[]) => E,
  msgIncludes?: string,
  msg?: string,
): E {
  try {
    fn();
  } catch (error) {
    assertIsError<E>(error, ErrorClass, msgIncludes, msg);
    return error;
  }
  throw new AssertionError(`Expected function to throw${msg ? `: ${msg}` : "."}`);
}

/** Asserts that the function's promise is rejected; resolves to what it was rejected with. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  // deno-lint-ignore no-explicit-any
  ErrorClass?: abstract new (...args: any[]) => E,
  msgIncludes?: string,
  msg?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    assertIsError<E>(error, ErrorClass, msgIncludes, msg);
    return error;
  }
  throw new AssertionError(`Expected function to reject${msg ? `: ${msg}` : "."}`);
}
