/** Runs a task on each item, at most `limit` at a time; answers in the order of the items. */
export async function settleAll<T, R>(
  items: readonly T[],
  limit: number,
  task: (item: T) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = [];
  const queue = items.entries();
  const work = async (): Promise<void> => {
    // One iterator for all workers: each takes the next item that nobody has taken.
    for (const [index, item] of queue) {
      const [result] = await Promise.allSettled([task(item)]);
      results[index] = result;
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, work));
  return results;
}
