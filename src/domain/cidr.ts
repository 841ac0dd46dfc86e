import { Address4, Address6 } from "ip-address";

export type Family = 4 | 6;

/**
 * A block of addresses: `base` is its first address as an integer, host bits zero.
 * All arithmetic on blocks is bitmask arithmetic on (base, prefix), for both families, in this file.
 */
export interface Cidr {
  readonly family: Family;
  readonly base: bigint;
  readonly prefix: number;
}

/** One address; `value` is the address as an integer. */
export interface Ip {
  readonly family: Family;
  readonly value: bigint;
}

const WIDTH: Record<Family, number> = { 4: 32, 6: 128 };

const CIDR_TEXT = /^([0-9a-f:.]+)\/(0|[1-9][0-9]{0,2})$/i;

export function netmask(family: Family, prefix: number): bigint {
  const width = BigInt(WIDTH[family]);
  const host = width - BigInt(prefix);
  return ((1n << width) - 1n) ^ ((1n << host) - 1n);
}

export function parseIp(text: string): Ip | undefined {
  if (text.includes("/") || text.includes("%")) return undefined;
  if (Address4.isValid(text)) return { family: 4, value: new Address4(text).bigInt() };
  if (Address6.isValid(text)) return { family: 6, value: new Address6(text).bigInt() };
  return undefined;
}

export function formatIp(ip: Ip): string {
  if (ip.family === 6) return Address6.fromBigInt(ip.value).correctForm();
  // By hand: a start formats them by the hundred thousand, and the library reads hexadecimal.
  const value = Number(ip.value);
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/**
 * Reads `address/prefix`. Host bits may be set: `block` is the canonical block, and `canonical`
 * tells whether the text spelled just that. Anything that is not a block yields undefined.
 */
export function parseCidr(text: string): { block: Cidr; canonical: boolean } | undefined {
  const parts = CIDR_TEXT.exec(text);
  const ip = parts?.[1] === undefined ? undefined : parseIp(parts[1]);
  if (ip === undefined || parts?.[2] === undefined) return undefined;
  const prefix = Number(parts[2]);
  if (prefix > WIDTH[ip.family]) return undefined;
  const block = {
    family: ip.family,
    base: ip.value & netmask(ip.family, prefix),
    prefix,
  };
  return { block, canonical: formatCidr(block) === text };
}

/** Reads a block that is known to be canonical, such as one read back from storage. */
export function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed?.canonical) throw new RangeError(`not a canonical CIDR block: ${text}`);
  return parsed.block;
}

export function isSameIp(a: Ip, b: Ip): boolean {
  return a.family === b.family && a.value === b.value;
}

/** The block that holds one address. */
export function hostBlock({ family, value }: Ip): Cidr {
  return { family, base: value, prefix: WIDTH[family] };
}

/** Every block that holds an address, the largest first. */
export function blocksAround({ family, value }: Ip): Cidr[] {
  return Array.from({ length: WIDTH[family] + 1 }, (_, prefix) => ({
    family,
    base: value & netmask(family, prefix),
    prefix,
  }));
}

/** The address of a block that holds one only; undefined for others. */
export function soleAddress({ family, base, prefix }: Cidr): Ip | undefined {
  return prefix === WIDTH[family] ? { family, value: base } : undefined;
}

/** As a person writes it: an address, or a block of several. */
export function formatAddresses(block: Cidr): string {
  const sole = soleAddress(block);
  return sole === undefined ? formatCidr(block) : formatIp(sole);
}

export function formatCidr(block: Cidr): string {
  return `${formatIp({ family: block.family, value: block.base })}/${block.prefix}`;
}

/** Two blocks overlap when they agree on the shorter of their prefixes. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  if (a.family !== b.family) return false;
  const mask = netmask(a.family, Math.min(a.prefix, b.prefix));
  return (a.base & mask) === (b.base & mask);
}

/** Whether every address of `inner` is in `outer`. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  return outer.prefix <= inner.prefix && overlaps(outer, inner);
}

export function containsIp(block: Cidr, ip: Ip): boolean {
  return (
    block.family === ip.family && (ip.value & netmask(block.family, block.prefix)) === block.base
  );
}

/** The first overlapping pair of two lists of blocks. */
export function findOverlap(
  left: readonly Cidr[],
  right: readonly Cidr[],
): readonly [Cidr, Cidr] | undefined {
  for (const a of left) {
    const b = right.find((candidate) => overlaps(a, candidate));
    if (b !== undefined) return [a, b];
  }
  return undefined;
}

export function addressCount(block: Cidr): bigint {
  return 1n << BigInt(WIDTH[block.family] - block.prefix);
}

/** The address at `offset` from the start of the block. */
export function addressAt(block: Cidr, offset: bigint): Ip {
  return { family: block.family, value: block.base + offset };
}
