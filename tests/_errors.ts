import { assert, assertEquals, AssertionError } from "@std/assert";
import { type ErrorCode, HotplugError } from "../artifact/mod.ts";

/** Asserts that the promise is rejected with an error of that code, or one of those; resolves to the error. */
export async function assertCode(
  promise: Promise<unknown>,
  ...codes: readonly ErrorCode[]
): Promise<HotplugError> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    assert(error instanceof HotplugError, `no HotplugError but ${Deno.inspect(error)}`);
    if (!codes.includes(error.code)) assertEquals(error.code, codes.join(" or "), error.message);
    return error;
  }
  throw new AssertionError(`Expected an error of code "${codes}", got ${Deno.inspect(value)}`);
}

/** Asserts that the function throws an error of that code; answers with the error. */
export function assertThrowsCode(fn: () => unknown, code: ErrorCode): HotplugError {
  try {
    fn();
  } catch (error) {
    assert(error instanceof HotplugError, `no HotplugError but ${Deno.inspect(error)}`);
    assertEquals(error.code, code, error.message);
    return error;
  }
  throw new AssertionError(`Expected an error of code "${code}"`);
}
