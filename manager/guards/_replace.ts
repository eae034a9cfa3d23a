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

/**
 * The same, with how to undo it: as it was before, the holder's own or not. Someone may have wrapped it
 * since: then it stays, and has to pass everything on.
 */
export function putInPlace<T extends object, K extends keyof T>(
  holder: T,
  key: K,
  value: T[K],
): () => void {
  const original = holder[key];
  const isOwn = Object.hasOwn(holder, key);
  replace(holder, key, value);
  return () => {
    if (holder[key] !== value) return;
    if (isOwn) replace(holder, key, original);
    else Reflect.deleteProperty(holder, key);
  };
}
