/** First and last address: ranges, where the program uses bitmasks, so as not to err alike. */
interface Range {
  readonly first: number;
  readonly last: number;
}

/** Few blocks that often conflict: equal, containing, contained, disjoint. */
export const VPC_BLOCKS = [
  "10.0.0.0/16",
  "10.1.0.0/16",
  "10.1.128.0/17",
  "10.2.0.0/16",
  "10.2.4.0/22",
  "10.3.0.0/16",
  "10.4.0.0/24",
  "172.16.0.0/16",
] as const;

export const SUBNET_BLOCKS = [
  "10.0.1.0/24",
  "10.1.128.0/24",
  "10.1.128.0/25",
  "10.2.4.0/24",
  "10.3.0.0/28",
  "10.4.0.0/25",
] as const;

/** Whole blocks, parts of blocks, single addresses, and what lies outside all of them. */
export const DESTINATIONS = [
  ...VPC_BLOCKS,
  "10.0.7.0/24",
  "10.1.128.0/24",
  "10.2.4.9/32",
  "10.0.0.0/8",
  "0.0.0.0/0",
] as const;

function rangeOf(block: string): Range {
  const [address = "", prefix = "32"] = block.split("/");
  const first = address.split(".").reduce((value, byte) => value * 256 + Number(byte), 0);
  return { first, last: first + 2 ** (32 - Number(prefix)) - 1 };
}

/** The lower first, the wider one of two that begin alike. */
export function byAddress(a: string, b: string): number {
  const [left, right] = [rangeOf(a), rangeOf(b)];
  return left.first - right.first || right.last - left.last;
}

export function overlap(a: string, b: string): boolean {
  const [left, right] = [rangeOf(a), rangeOf(b)];
  return left.first <= right.last && right.first <= left.last;
}

export function anyOverlap(left: readonly string[], right: readonly string[]): boolean {
  return left.some((a) => right.some((b) => overlap(a, b)));
}

/** Whether every address of `inner` is in `outer`. */
export function isInside(inner: string, outer: string): boolean {
  const [small, large] = [rangeOf(inner), rangeOf(outer)];
  return large.first <= small.first && small.last <= large.last;
}
