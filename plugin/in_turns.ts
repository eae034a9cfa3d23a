import { setImmediate } from "node:timers";

/**
 * Makes what takes pieces, and what each of them holds in order, each part in a turn of its own: what comes
 * of it, an answer above all, is not held up by what else has come.
 *
 * @param failed Told of what was thrown; nothing more is taken then.
 */
export function takeInTurns<P, T>(
  split: (piece: P) => Iterator<T>,
  take: (part: T) => void,
  failed: (error: unknown) => void,
): (piece: P) => void {
  // Kept before a plugin comes, which may put another in its place.
  const later = setImmediate;
  const pieces: Iterator<T>[] = [];
  let isWaiting = false;
  const next = (): IteratorResult<T> | undefined => {
    for (let piece = pieces[0]; piece; piece = pieces[0]) {
      const part = piece.next();
      if (!part.done) return part;
      pieces.shift();
    }
    return undefined;
  };
  const run = (): void => {
    try {
      const part = next();
      isWaiting = part !== undefined;
      if (!part) return;
      take(part.value);
      later(run);
    } catch (error) {
      isWaiting = true;
      failed(error);
    }
  };
  return (piece) => {
    pieces.push(split(piece));
    if (!isWaiting) run();
  };
}
