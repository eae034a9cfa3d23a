/**
 * Puts something in the place of what the runtime has there; answers with whether it could.
 *
 * A host or one of its plugins may have frozen it (`Object.freeze(Deno)`): then it stays as it is, and
 * nobody ends for that.
 */
export function replace<T extends object, K extends keyof T>(
  holder: T,
  key: K,
  value: T[K],
): boolean {
  return Reflect.set(holder, key, value);
}
