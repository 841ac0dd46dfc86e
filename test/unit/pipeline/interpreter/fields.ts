import { type Cidr, cidr, containsIp, parseIp } from "../../../../src/domain/cidr.js";
import type { Match } from "../../../../src/openflow/flow.js";

/**
 * Fields by name, in the switch's spelling. Registers that are absent are 0; `ct_state` holds the
 * flags that are set, such as `new|trk`.
 */
export type Fields = Readonly<Record<string, string | true>>;

const ADDRESSES = new Set(["nw_src", "nw_dst", "ct_nw_src", "ct_nw_dst", "arp_spa", "arp_tpa"]);
const NUMBERS = /^(?:0x[0-9a-f]+|\d+)$/;

export function matches(match: Match, packet: Fields): boolean {
  return Object.entries(match).every(([field, wanted]) => {
    if (wanted === true) return packet[field] === true;
    const value = readField(packet, field);
    if (value === undefined) return false;
    if (field === "ct_state" || field === "tcp_flags") return hasFlags(value, wanted);
    if (ADDRESSES.has(field)) return isWithin(value, wanted);
    return agrees(value, wanted);
  });
}

function readField(packet: Fields, field: string): string | undefined {
  const value = packet[field] ?? (/^(?:reg|vlan_tci)/.test(field) ? "0" : undefined);
  return value === true ? undefined : value;
}

/** `+new-inv`: these flags are set, and those are not. */
function hasFlags(set: string, wanted: string): boolean {
  const flags = set.split("|");
  return Array.from(wanted.matchAll(/([+-])(\w+)/g)).every(
    ([, sign, flag = ""]) => flags.includes(flag) === (sign === "+"),
  );
}

function isWithin(value: string, wanted: string): boolean {
  const ip = parseIp(value);
  const [base = "", mask = ""] = wanted.split("/");
  if (mask.includes(".")) return agrees(numberOf(value), `${numberOf(base)}/${numberOf(mask)}`);
  return ip !== undefined && containsIp(blockOf(wanted), ip);
}

function numberOf(address: string): string {
  return String(parseIp(address)?.value);
}

function blockOf(text: string): Cidr {
  return cidr(text.includes("/") ? text : `${text}/32`);
}

/** Equal in all bits, or in those of a mask; what is no number is compared as text. */
function agrees(value: string, wanted: string): boolean {
  const [base = "", mask] = wanted.split("/");
  if (!NUMBERS.test(value) || !NUMBERS.test(base)) return value === wanted;
  const bits = mask === undefined ? -1n : BigInt(mask);
  return (BigInt(value) & bits) === (BigInt(base) & bits);
}
