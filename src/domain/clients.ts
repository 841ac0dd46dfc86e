import { type Ip, netmask, parseIp } from "./cidr.js";

/** ::ffff:0:0/96, how IPv6 sockets show IPv4. */
const MAPPED = 0xffffn;
/** What one customer is given of IPv6, so that more addresses are not more clients. */
const ONE_CLIENT_IPV6 = 64;

/** Reads an address; what an IPv6 socket says of IPv4 is IPv4. */
export function parseClient(text: string): Ip | undefined {
  const ip = parseIp(text);
  if (ip === undefined || ip.family === 4 || ip.value >> 32n !== MAPPED) return ip;
  return { family: 4, value: ip.value & 0xffff_ffffn };
}

/** The same text for all addresses that count as one client: an IPv4 address, or a /64 of IPv6. */
export function clientGroup(address: string): string {
  const ip = parseClient(address);
  if (ip === undefined) return address;
  if (ip.family === 4) return `4:${ip.value}`;
  return `6:${(ip.value & netmask(6, ONE_CLIENT_IPV6)).toString(16)}`;
}
