import { type Cidr, containsIp, hostBlock, type Ip, isSameIp } from "./cidr.js";
import type { InterfaceIntent, MemberIntent } from "./intent.js";

type Addressed = Omit<MemberIntent, "id">;

/** The primary address, and the secondary ones. */
export function ownIps({ ip, secondaryIps }: Pick<Addressed, "ip" | "secondaryIps">): Ip[] {
  return [ip, ...secondaryIps];
}

export function hasOwn(eni: Pick<Addressed, "ip" | "secondaryIps">, address: Ip): boolean {
  return isSameIp(eni.ip, address) || eni.secondaryIps.some((ip) => isSameIp(ip, address));
}

/** All that rules mean by naming a group that the interface is in. */
export function blocksOf(eni: Addressed): Cidr[] {
  return [...ownIps(eni).map(hostBlock), ...eni.addressPairs.map(({ block }) => block)];
}

/** Whether an address is its own or among those that it may send from. */
export function hasAddress(eni: Addressed, address: Ip): boolean {
  return hasOwn(eni, address) || eni.addressPairs.some(({ block }) => containsIp(block, address));
}

/** The MAC address with which it sends from an address that it has, or is allowed. */
export function macFor({ mac, addressPairs, ...own }: InterfaceIntent, address: Ip): string {
  if (hasOwn(own, address)) return mac;
  const pairs = addressPairs.filter(({ block }) => containsIp(block, address));
  const [longest] = pairs.sort((a, b) => b.block.prefix - a.block.prefix);
  return longest?.mac ?? mac;
}

/** How many of the addresses that count for quotas an interface has. */
export function addressesCounted({ secondaryIps, addressPairs }: Addressed): number {
  return 1 + secondaryIps.length + addressPairs.length;
}

/**
 * Whom a packet for `address` is handed to. Whoever has it as his own comes first; else all those
 * get it that may send from it by the longest prefix: which of them answers is their business
 * (RFC 5798 calls it the master).
 * @param present who is plugged in: the others get nothing
 */
export function receiversOf<T extends Addressed>(present: readonly T[], address: Ip): T[] {
  const own = present.find((eni) => hasOwn(eni, address));
  if (own !== undefined) return [own];
  const reach = (eni: T) => longestPrefix(eni, address);
  const longest = present.reduce((most, eni) => Math.max(most, reach(eni)), NONE);
  return longest === NONE ? [] : present.filter((eni) => reach(eni) === longest);
}

const NONE = -1;

function longestPrefix({ addressPairs }: Addressed, address: Ip): number {
  const prefixes = addressPairs
    .filter(({ block }) => containsIp(block, address))
    .map(({ block }) => block.prefix);
  return Math.max(...prefixes, NONE);
}
