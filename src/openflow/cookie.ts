/** What a flow was rendered for. The numbers are on switches: never reuse one. */
export const COOKIE_CATEGORIES = {
  vpc: 1,
  interface: 2,
  route: 3,
  peering: 4,
  policy: 5,
  exchange: 6,
} as const;

export type CookieCategory = keyof typeof COOKIE_CATEGORIES;

/**
 * Bits of each field, from the most significant: 64 in all. They keep their places in every layout,
 * so that a daemon can tell what the flows of another one were rendered for.
 */
export const COOKIE_FIELDS = {
  mark: 24,
  layout: 4,
  category: 4,
  object: 32,
} as const;

export interface Cookie {
  /** The installation: 1 to 2^24 - 1. */
  readonly mark: number;
  /** Version of the pipeline's layout: 0 to 15. */
  readonly layout: number;
  readonly category: CookieCategory;
  /** The number of the VPC, interface or peering; 0 where there is none. */
  readonly object: number;
}

const CATEGORY_NAMES = new Map(
  (Object.keys(COOKIE_CATEGORIES) as CookieCategory[]).map((name) => [
    COOKIE_CATEGORIES[name] as number,
    name,
  ]),
);

export interface DecodedCookie {
  readonly mark: number;
  readonly layout: number;
  /** Undefined when this version knows no such category. */
  readonly category: CookieCategory | undefined;
  readonly object: number;
}

const OBJECT_BITS = BigInt(COOKIE_FIELDS.object);
const CATEGORY_BITS = BigInt(COOKIE_FIELDS.category);
const LAYOUT_BITS = BigInt(COOKIE_FIELDS.layout);

/** @throws RangeError when a number does not fit its field: it would name something else */
export function encodeCookie({ mark, layout, category, object }: Cookie): bigint {
  const head = (fitting("mark", mark) << LAYOUT_BITS) | fitting("layout", layout);
  const kind = fitting("category", COOKIE_CATEGORIES[category]);
  return (((head << CATEGORY_BITS) | kind) << OBJECT_BITS) | fitting("object", object);
}

export function decodeCookie(cookie: bigint): DecodedCookie {
  const number = Number((cookie >> OBJECT_BITS) & ones(CATEGORY_BITS));
  return {
    mark: markOf(cookie),
    layout: Number((cookie >> (OBJECT_BITS + CATEGORY_BITS)) & ones(LAYOUT_BITS)),
    category: CATEGORY_NAMES.get(number),
    object: Number(cookie & ones(OBJECT_BITS)),
  };
}

/** Recognises the cookies of one installation, those of other layouts included. */
export function ownsCookie(mark: number): (cookie: bigint) => boolean {
  return (cookie) => markOf(cookie) === mark;
}

function markOf(cookie: bigint): number {
  return Number(cookie >> (OBJECT_BITS + CATEGORY_BITS + LAYOUT_BITS));
}

function fitting(field: keyof typeof COOKIE_FIELDS, value: number): bigint {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** COOKIE_FIELDS[field]) {
    throw new RangeError(`cookie ${field} ${value} does not fit ${COOKIE_FIELDS[field]} bits`);
  }
  return BigInt(value);
}

function ones(bits: bigint): bigint {
  return (1n << bits) - 1n;
}
