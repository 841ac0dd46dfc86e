import type { Cidr } from "../domain/cidr.js";

/** Every pair of a block of `left` and a block of `right`. */
export function blockPairs(
  left: readonly Cidr[],
  right: readonly Cidr[],
): (readonly [Cidr, Cidr])[] {
  return left.flatMap((a) => right.map((b) => [a, b] as const));
}
