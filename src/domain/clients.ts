import { type Cidr, containsIp, type Ip, netmask, parseCidr, parseIp } from "./cidr.js";

/** ::ffff:0:0/96, how IPv6 sockets show IPv4. */
const MAPPED_PREFIX = 96;
const MAPPED = 0xffffn;
/** What one customer is given of IPv6, so that more addresses are not more clients. */
const ONE_CLIENT_IPV6 = 64;

/** How proxies write whom they pass on: an address, or one with a port, and in quotes or not. */
const FORWARDED = /^"?(?:\[(?<bracketed>[^\]]*)\](?::\d+)?|(?<v4>[\d.]+):\d+|(?<bare>[^"]*))"?$/;

/** All that cannot be read is one client, so that nobody becomes many by what he writes. */
const UNREADABLE = "unreadable";

/** Reads an address; what an IPv6 socket says of IPv4 is IPv4. */
export function parseClient(text: string): Ip | undefined {
  const ip = parseIp(text);
  if (ip === undefined || ip.family === 4 || ip.value >> 32n !== MAPPED) return ip;
  return { family: 4, value: ip.value & 0xffff_ffffn };
}

/** The same text for all addresses that count as one client: an IPv4 address, or a /64 of IPv6. */
export function clientGroup(address: string): string {
  const ip = parseForwarded(address);
  if (ip === undefined) return UNREADABLE;
  if (ip.family === 4) return `4:${ip.value}`;
  return `6:${(ip.value & netmask(6, ONE_CLIENT_IPV6)).toString(16)}`;
}

/**
 * Reads the address or the block of a proxy. A block of everybody is none, for whoever is believed
 * may say who he is; and one with host bits set is most likely a mistake.
 */
export function parseProxy(text: string): Cidr | undefined {
  const ip = parseClient(text);
  if (ip !== undefined) return { family: ip.family, base: ip.value, prefix: width(ip) };
  const parsed = parseCidr(text.toLowerCase());
  if (parsed === undefined || parseIp(text.split("/")[0] ?? "")?.value !== parsed.block.base) {
    return undefined;
  }
  const block = plainBlock(parsed.block);
  return block.prefix === 0 ? undefined : block;
}

/** Whether this address is a proxy's. */
export function isProxy(proxies: readonly Cidr[], address: string): boolean {
  if (proxies.length === 0) return false;
  const ip = parseForwarded(address);
  return ip !== undefined && proxies.some((block) => containsIp(block, ip));
}

function parseForwarded(text: string): Ip | undefined {
  const { bracketed, v4, bare = "" } = FORWARDED.exec(text)?.groups ?? {};
  const address = bracketed ?? v4 ?? bare;
  // Sockets of addresses that are a link's own tell the link, too.
  return parseClient(address.replace(/%.*$/, ""));
}

function plainBlock(block: Cidr): Cidr {
  const { family, base, prefix } = block;
  if (family === 4 || prefix < MAPPED_PREFIX || base >> 32n !== MAPPED) return block;
  return { family: 4, base: base & 0xffff_ffffn, prefix: prefix - MAPPED_PREFIX };
}

function width({ family }: Ip): number {
  return family === 4 ? 32 : 128;
}
