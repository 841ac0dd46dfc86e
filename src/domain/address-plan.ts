import {
  addressAt,
  addressCount,
  type Cidr,
  contains,
  containsIp,
  formatCidr,
  type Ip,
  overlaps,
  parseCidr,
} from "./cidr.js";
import { DomainError } from "./errors.js";

/** Sizes that EC2 allows for the IPv4 blocks of VPCs and subnets. */
export const BLOCK_PREFIX = { min: 16, max: 28 } as const;

const UNUSABLE: ReadonlyArray<readonly [string, string]> = [
  ["0.0.0.0/8", '"this network" (RFC 1122)'],
  ["127.0.0.0/8", "loopback (RFC 1122)"],
  ["169.254.0.0/16", "link-local (RFC 3927)"],
  ["224.0.0.0/4", "multicast (RFC 5771)"],
  ["240.0.0.0/4", "reserved (RFC 1112)"],
];

const unusableBlocks = UNUSABLE.flatMap(([text, use]) => {
  const parsed = parseCidr(text);
  return parsed === undefined ? [] : [{ block: parsed.block, use }];
});

type RangeCode = "InvalidVpcRange" | "InvalidSubnet.Range";

/**
 * The block that `text` names, when a VPC may use it: canonical, /16 to /28, unicast.
 * @throws DomainError `InvalidVpcRange`, or `ValidationError` when it is no IPv4 block at all
 */
export function vpcBlock(text: string): Cidr {
  const block = usableBlock(text, "InvalidVpcRange");
  const unusable = unusableBlocks.find((entry) => overlaps(entry.block, block));
  if (unusable !== undefined) {
    throw rangeError("InvalidVpcRange", `${text} is ${unusable.use} address space`);
  }
  return block;
}

/**
 * The block that `text` names, when a subnet of a VPC with these blocks may use it.
 * @throws DomainError `InvalidSubnet.Range`, or `ValidationError` when it is no IPv4 block at all
 */
export function subnetBlock(text: string, vpcBlocks: readonly Cidr[]): Cidr {
  const block = usableBlock(text, "InvalidSubnet.Range");
  if (!vpcBlocks.some((outer) => contains(outer, block))) {
    const blocks = vpcBlocks.map(formatCidr).join(", ");
    throw rangeError("InvalidSubnet.Range", `${text} is not inside a block of the VPC (${blocks})`);
  }
  return block;
}

function usableBlock(text: string, code: RangeCode): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined || parsed.block.family !== 4) {
    throw rangeError("ValidationError", `"${text}" is not an IPv4 CIDR block such as 10.0.0.0/16`);
  }
  if (!parsed.canonical) {
    const canonical = formatCidr(parsed.block);
    throw rangeError(code, `${text} has host bits set; the block is ${canonical}`);
  }
  const { prefix } = parsed.block;
  if (prefix < BLOCK_PREFIX.min || prefix > BLOCK_PREFIX.max) {
    const allowed = `/${BLOCK_PREFIX.min} to /${BLOCK_PREFIX.max}`;
    throw rangeError(code, `${text} has a prefix length of ${prefix}; allowed is ${allowed}`);
  }
  return parsed.block;
}

function rangeError(code: RangeCode | "ValidationError", detail: string): DomainError {
  return new DomainError(code, detail, { pointer: "/cidrBlock" });
}

/**
 * The IPv4 block that `text` names, of any size.
 * @param pointer the field that it came from
 * @throws DomainError `InvalidParameterValue` with host bits set, `ValidationError` when it is none
 */
export function anyBlock(text: string, pointer: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined || parsed.block.family !== 4) {
    const detail = `"${text}" is not an IPv4 CIDR block such as 10.1.0.0/16`;
    throw new DomainError("ValidationError", detail, { pointer });
  }
  if (!parsed.canonical) {
    const detail = `${text} has host bits set; the block is ${formatCidr(parsed.block)}`;
    throw new DomainError("InvalidParameterValue", detail, { pointer });
  }
  return parsed.block;
}

/** As EC2: network, router, two more and broadcast; the gateway is the first host. */
const RESERVED_AT_START = 4n;

export function gatewayOf(subnet: Cidr): Ip {
  return addressAt(subnet, 1n);
}

export function broadcastOf(subnet: Cidr): Ip {
  return addressAt(subnet, addressCount(subnet) - 1n);
}

/** Why no interface of the subnet can have this address, to follow it in a sentence. */
export function unassignable(subnet: Cidr, ip: Ip): string | undefined {
  const block = formatCidr(subnet);
  if (!containsIp(subnet, ip)) return `is outside the subnet's block ${block}`;
  const offset = ip.value - subnet.base;
  const isFree = offset >= RESERVED_AT_START && offset < addressCount(subnet) - 1n;
  return isFree ? undefined : `is reserved: the first four addresses of ${block} and the last are`;
}

export function isAssignable(subnet: Cidr, ip: Ip): boolean {
  return unassignable(subnet, ip) === undefined;
}

/** The lowest assignable address of the subnet that is in none of the `taken` blocks. */
export function firstFreeAddress(subnet: Cidr, taken: readonly Cidr[]): Ip | undefined {
  const last = subnet.base + addressCount(subnet) - 1n;
  const inOrder = [...taken].sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : 0));
  let free = subnet.base + RESERVED_AT_START;
  for (const block of inOrder) {
    if (block.base > free) break;
    const next = block.base + addressCount(block);
    if (next > free) free = next;
  }
  return free < last ? { family: subnet.family, value: free } : undefined;
}
