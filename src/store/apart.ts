import { storeFailure } from "./database/errors.js";

/** One of many that could not be done with the others, nor alone. */
export interface Failed<T> {
  readonly item: T;
  readonly error: unknown;
}

/**
 * Does something to many at once. When that fails it is done to each half alone, and so on down to
 * those that fail alone, which keep the others from nothing.
 * @throws what a database that is away makes it fail with
 */
export async function togetherOrApart<T>(
  items: readonly T[],
  work: (items: readonly T[]) => Promise<void>,
): Promise<Array<Failed<T>>> {
  const [first] = items;
  if (first === undefined) return [];
  try {
    await work(items);
    return [];
  } catch (error) {
    if (storeFailure(error).kind === "unavailable") throw error;
    if (items.length === 1) return [{ item: first, error }];
  }
  const middle = Math.ceil(items.length / 2);
  const left = await togetherOrApart(items.slice(0, middle), work);
  return [...left, ...(await togetherOrApart(items.slice(middle), work))];
}
