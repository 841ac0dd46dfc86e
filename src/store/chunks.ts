/**
 * PostgreSQL takes 65,535 parameters in one statement, Prisma 32,766, of which a list of ids has one
 * for each id: some statements name every id twice.
 */
const MOST_IN_LIST = 10_000;

/** Does something with a list of any length, no more at a time than one statement takes. */
export async function inChunks<I, T>(
  items: readonly I[],
  work: (chunk: I[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < items.length; start += MOST_IN_LIST) {
    for (const each of await work(items.slice(start, start + MOST_IN_LIST))) results.push(each);
  }
  return results;
}
