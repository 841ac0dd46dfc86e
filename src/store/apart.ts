import { Patience } from "./patience.js";

/** One of many that could not be done with the others, nor alone. */
export interface Failed<T> {
  readonly item: T;
  readonly error: unknown;
}

/**
 * Does something to many at once. When that fails it is done to each half alone, and so on down to
 * those that fail alone, which keep the others from nothing.
 * @throws what a database that is away, or troubled beyond single rows, makes it fail with
 */
export function togetherOrApart<T>(
  items: readonly T[],
  work: (items: readonly T[]) => Promise<void>,
): Promise<Array<Failed<T>>> {
  const patience = new Patience();
  const attempt = async (some: readonly T[]): Promise<Array<Failed<T>>> => {
    const [first] = some;
    if (first === undefined) return [];
    try {
      await work(some);
      return [];
    } catch (error) {
      if (some.length === 1 ? patience.isOver(error) : patience.isInVain(error)) throw error;
      if (some.length === 1) return [{ item: first, error }];
    }
    const middle = Math.ceil(some.length / 2);
    const left = await attempt(some.slice(0, middle));
    return [...left, ...(await attempt(some.slice(middle)))];
  };
  return attempt(items);
}
