/** For what was done while the event loop stood still and has yet to be told. */
const GRACE_MS = 5000;

/** Rejects when work takes longer; time in which it held the event loop itself does not count. */
export async function withinLimit<T>(
  work: Promise<T>,
  limitMs: number,
  trouble: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new Error(`${trouble} within ${limitMs / 1000} s`));
    timer = setTimeout(() => {
      timer = setTimeout(fail, GRACE_MS);
    }, limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
