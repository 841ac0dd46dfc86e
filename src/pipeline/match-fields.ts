import { type Cidr, formatCidr, formatIp } from "../domain/cidr.js";

const HOST_PREFIX = 32;

/** Of the packet, of the one that opened its connection (`ct_…`), or of an ARP message. */
export type AddressField = "nw_src" | "nw_dst" | "ct_nw_src" | "ct_nw_dst" | "arp_spa" | "arp_tpa";

/**
 * A match of an IPv4 block in the switch's spelling: a host without prefix length, and nothing at
 * all for every address.
 * @throws RangeError for a block of another family: these fields hold IPv4 only
 */
export function blockMatch(field: AddressField, block: Cidr): Record<string, string> {
  if (block.family !== 4) throw new RangeError(`not an IPv4 block: ${formatCidr(block)}`);
  if (block.prefix === 0) return {};
  if (block.prefix === HOST_PREFIX) return { [field]: formatIp({ family: 4, value: block.base }) };
  return { [field]: formatCidr(block) };
}
