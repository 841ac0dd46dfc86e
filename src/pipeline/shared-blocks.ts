import { type Cidr, formatCidr } from "../domain/cidr.js";
import type { BoundInterface, VpcContext } from "./context.js";

/** Addresses that interfaces have in their pairs, and who has. */
export interface SharedBlock {
  readonly block: Cidr;
  readonly sharers: readonly BoundInterface[];
}

/** Each block once, with all interfaces that are plugged in and have it. */
export function sharedBlocks({ interfaces }: VpcContext): SharedBlock[] {
  const found = new Map<string, { block: Cidr; sharers: BoundInterface[] }>();
  for (const eni of interfaces) {
    for (const { block } of eni.addressPairs) {
      const key = formatCidr(block);
      const known = found.get(key);
      if (known === undefined) found.set(key, { block, sharers: [eni] });
      else known.sharers.push(eni);
    }
  }
  return [...found.values()];
}
