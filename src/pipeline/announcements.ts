import { type Cidr, formatIp } from "../domain/cidr.js";
import { type Action, conjunction } from "../openflow/action.js";
import type { Flow, Match } from "../openflow/flow.js";
import { ofVpc, type VpcContext, vpcFlow } from "./context.js";
import { blockMatch } from "./match-fields.js";
import { announcementPriority } from "./priorities.js";

const WIDTH = 32;
const ALL_BITS = 2n ** 32n - 1n;

/** A conjunction has two conditions at least. */
const FEWEST_BITS = 2;

/**
 * Whoever takes over an address of a block announces it: asks for it in its own name. No flow
 * compares two fields, so each bit that the addresses of the block differ in is one condition: that
 * it is the same in both.
 */
export function announcementFlows(context: VpcContext, block: Cidr): Flow[] {
  const flow = (match: Match, actions: Action[] = []) =>
    vpcFlow(context, "arp", ofVpc(context), {
      priority: announcementPriority(block.prefix),
      match,
      actions,
    });
  const bits = WIDTH - block.prefix;
  if (bits < FEWEST_BITS) return addressMatches(block).map((match) => flow(match));
  const id = conjunctionOf(block);
  const conditions = Array.from({ length: bits }, (_, bit) =>
    sameBitMatches(block, bit).map((match) => flow(match, [conjunction(id, bit + 1, bits)])),
  );
  return [...conditions.flat(), flow({ conj_id: String(id) })];
}

function addressMatches({ base, prefix }: Cidr): Match[] {
  return Array.from({ length: 2 ** (WIDTH - prefix) }, (_, offset) => {
    const address = dotted(base + BigInt(offset));
    return { arp: true, arp_spa: address, arp_tpa: address };
  });
}

/** An address in the middle of the block, and so in that of no other. */
function conjunctionOf({ base, prefix }: Cidr): number {
  return Number(base) + 2 ** (WIDTH - prefix - 1);
}

/** That a bit is 0 in both addresses, and that it is 1. */
function sameBitMatches(block: Cidr, bit: number): Match[] {
  const one = 1n << BigInt(bit);
  return [block.base, block.base + one].map((base) => ({
    arp: true,
    ...bitMatch("arp_spa", { ...block, base }, one),
    ...bitMatch("arp_tpa", { ...block, base }, one),
  }));
}

/** The highest of the bits makes a longer prefix, which is how the switch spells it. */
function bitMatch(
  field: "arp_spa" | "arp_tpa",
  { base, prefix }: Cidr,
  bit: bigint,
): Record<string, string> {
  const left = 1n << BigInt(WIDTH - prefix);
  if (bit * 2n === left) return blockMatch(field, { family: 4, base, prefix: prefix + 1 });
  const mask = ALL_BITS - left + 1n + bit;
  return { [field]: `${dotted(base)}/${dotted(mask)}` };
}

function dotted(value: bigint): string {
  return formatIp({ family: 4, value });
}
