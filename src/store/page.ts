import type { Page, PageRequest, Tags } from "../domain/resources.js";

/** Prisma arguments for one page in the order of `number`, reading one row more than asked for. */
export function pageArguments(page: PageRequest) {
  return { orderBy: { number: "asc" as const }, take: page.limit + 1 };
}

export function toPage<T extends { readonly number: number }>(
  rows: readonly T[],
  limit: number,
): Page<T> {
  const items = rows.slice(0, limit);
  const more = rows.length > limit;
  return { items, next: more ? (items.at(-1)?.number ?? null) : null };
}

/** Prisma conditions that a JSON column `tags` holds every one of these pairs. */
export function tagConditions(tags: Tags) {
  return Object.entries(tags).map(([key, value]) => ({
    tags: { path: [key], equals: value },
  }));
}
