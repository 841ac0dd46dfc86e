import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fillPage, MOST_PAGE_BYTES } from "../../../src/api/rest/page-filling.js";
import type { Page, PageRequest } from "../../../src/domain/resources.js";

const MOST_READ_AT_ONCE = 100;

interface Item {
  readonly number: number;
  readonly text: string;
}

/** Items of these sizes in bytes, with gaps between their numbers. */
function itemsOf(sizes: readonly number[]): Item[] {
  return sizes.map((size, index) => ({ number: 3 * (index + 1), text: "x".repeat(size) }));
}

/** A list of items, and how many of them were read. */
function listOf(items: readonly Item[]) {
  const reads: number[] = [];
  const read = async ({ limit, after }: PageRequest): Promise<Page<Item>> => {
    reads.push(limit);
    const rest = items.filter(({ number }) => number > after);
    const taken = rest.slice(0, limit);
    return { items: taken, next: rest.length > limit ? (taken.at(-1)?.number ?? null) : null };
  };
  const source = {
    read,
    present: (item: Item) => item,
    positionOf: ({ number }: Item) => number,
    pause: async () => {},
  };
  return { source, reads };
}

const sizes = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 100 }) },
  { weight: 3, arbitrary: fc.integer({ min: 10_000, max: 60_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 500_000, max: 1_500_000 }) },
);

describe("the pages of a list", () => {
  test("have every item once, in order, within the limit and the bytes", async () => {
    const lists = fc.array(sizes, { maxLength: 150 }).map(itemsOf);
    await fc.assert(
      fc.asyncProperty(lists, fc.integer({ min: 1, max: 200 }), async (items, limit) => {
        const { source, reads } = listOf(items);
        const seen: Item[] = [];
        for (let after = 0, hasMore = true; hasMore; ) {
          const page = await fillPage({ limit, after }, source);
          expect(page.items.length).toBeLessThanOrEqual(limit);
          // Never an empty page in the middle of a list.
          expect(page.items.length > 0 || items.length === 0).toBe(true);
          const { length } = JSON.stringify(page.items);
          expect(length <= MOST_PAGE_BYTES + 2 || page.items.length === 1).toBe(true);
          seen.push(...page.items);
          ({ last: after, hasMore } = page);
        }
        expect(seen).toEqual(items);
        expect(Math.max(...reads)).toBeLessThanOrEqual(MOST_READ_AT_ONCE);
      }),
      { numRuns: 30 },
    );
  });

  test("are full where items are small, and do not read far beyond where they are large", async () => {
    const small = listOf(itemsOf(Array.from({ length: 1500 }, () => 100)));
    const page = await fillPage({ limit: 1000, after: 0 }, small.source);
    expect(page).toMatchObject({ items: { length: 1000 }, last: 3000, hasMore: true });
    const large = listOf(itemsOf(Array.from({ length: 200 }, () => 200_000)));
    const cut = await fillPage({ limit: 1000, after: 0 }, large.source);
    expect(cut).toMatchObject({ items: { length: 5 }, last: 15, hasMore: true });
    expect(large.reads).toEqual([20]);
  });

  test("count bytes, not characters", async () => {
    const items = itemsOf(Array.from({ length: 20 }, () => 0)).map((item) => {
      return { ...item, text: "€".repeat(100_000) };
    });
    const { items: found } = await fillPage({ limit: 20, after: 0 }, listOf(items).source);
    expect(found).toHaveLength(3);
  });

  test("tell where an empty one goes on", async () => {
    const page = await fillPage({ limit: 10, after: 7 }, listOf([]).source);
    expect(page).toEqual({ items: [], last: 7, hasMore: false });
  });
});
