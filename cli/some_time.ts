/** Waits for the work, but no longer than that, in milliseconds. Fails as it fails. */
export async function someTime(work: Promise<unknown>, limitMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, limitMs));
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
