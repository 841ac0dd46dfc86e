import type { Page, PageRequest } from "../../domain/resources.js";

/** Bytes of JSON that the items of a page may have together; a single one may have more. */
export const MOST_PAGE_BYTES = 1024 * 1024;

/** How many items are read at once before it is known how large they are, and at most. */
const FIRST_READ = 20;
const LARGEST_READ = 100;

/** Where items come from. */
export interface ItemSource<T, B> {
  read(page: PageRequest): Promise<Page<T>>;
  present(item: T): B;
  /** The number that continues the list after this item. */
  positionOf(item: T): number;
  /** Called between two reads: a page that takes long lets others go first. */
  pause(): Promise<void>;
}

/** One page. */
export interface FilledPage<B> {
  readonly items: B[];
  /** Position of its last item; of what came before it when it has none. */
  readonly last: number;
  readonly hasMore: boolean;
}

/**
 * Reads a list piece by piece until the page has as many items as asked for or as many bytes as it
 * may, so that never more than a piece is in memory that nobody gets.
 */
export async function fillPage<T, B>(
  { limit, after }: PageRequest,
  source: ItemSource<T, B>,
): Promise<FilledPage<B>> {
  const items: B[] = [];
  let [last, bytes] = [after, 0];
  for (let take = FIRST_READ; ; take = nextRead(items.length, bytes)) {
    const page = await source.read({ limit: Math.min(take, limit - items.length), after: last });
    for (const item of page.items) {
      const presented = source.present(item);
      bytes += Buffer.byteLength(JSON.stringify(presented)) + SEPARATOR_BYTES;
      if (bytes > MOST_PAGE_BYTES && items.length > 0) return { items, last, hasMore: true };
      items.push(presented);
      last = source.positionOf(item);
    }
    if (page.next === null) return { items, last, hasMore: false };
    if (items.length >= limit) return { items, last, hasMore: true };
    await source.pause();
  }
}

const SEPARATOR_BYTES = 1;

/** As many as may have room if they are like those before. */
function nextRead(items: number, bytes: number): number {
  const room = Math.ceil((MOST_PAGE_BYTES - bytes) / (bytes / items));
  return Math.min(LARGEST_READ, Math.max(1, room));
}
