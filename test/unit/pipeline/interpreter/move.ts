import type { Fields } from "./fields.js";

/** Names of the Nicira extended match, and the fields that they are here. */
const NAMES: Readonly<Record<string, string>> = {
  NXM_OF_ETH_SRC: "dl_src",
  NXM_OF_ETH_DST: "dl_dst",
  NXM_OF_IP_SRC: "nw_src",
  NXM_OF_IP_DST: "nw_dst",
  NXM_OF_ICMP_TYPE: "icmp_type",
  NXM_OF_ICMP_CODE: "icmp_code",
  NXM_OF_ARP_SPA: "arp_spa",
  NXM_OF_ARP_TPA: "arp_tpa",
  NXM_NX_ARP_SHA: "arp_sha",
  NXM_NX_ARP_THA: "arp_tha",
  NXM_NX_CT_MARK: "ct_mark",
  NXM_NX_CT_LABEL: "ct_label",
};

const MOVE = /^move:(\w+)\[(?:(\d+)\.\.(\d+))?\]->(\w+)\[(?:(\d+)\.\.(\d+))?\]$/;
const BITS = /^(\w+)\[(?:(\d+)\.\.(\d+))?\]$/;

export function fieldOf(name: string): string {
  const [, register] = /^NXM_NX_REG(\d+)$/.exec(name) ?? [];
  const field = register === undefined ? NAMES[name] : `reg${register}`;
  if (field === undefined) throw new Error(`no field ${name}`);
  return field;
}

/** The fields after a `move`; undefined for any other action. */
export function moved(fields: Fields, action: string): Fields | undefined {
  const [, from = "", low = "0", high, to = "", toLow, toHigh] = MOVE.exec(action) ?? [];
  if (from === "") return undefined;
  const [source, target] = [fieldOf(from), fieldOf(to)];
  const value = String(fields[source] ?? "0");
  if (toLow === undefined) return { ...fields, [target]: value };
  const width = BigInt(toHigh ?? 0) - BigInt(toLow) + 1n;
  if (high !== undefined && BigInt(high) - BigInt(low) + 1n !== width) {
    throw new Error(`bits do not fit: ${action}`);
  }
  const mask = (1n << width) - 1n;
  const bits = ((BigInt(value) >> BigInt(low)) & mask) << BigInt(toLow);
  const kept = BigInt(String(fields[target] ?? "0")) & ~(mask << BigInt(toLow));
  return { ...fields, [target]: hex(kept | bits) };
}

/** The value of some bits of a field, such as `NXM_NX_REG3[0..15]`, or of all. */
export function bitsOf(fields: Fields, text: string): string {
  const [, name = "", low, high] = BITS.exec(text) ?? [];
  const value = fields[fieldOf(name)] ?? "0";
  if (low === undefined || value === true) return String(value);
  return hex(
    (BigInt(value) >> BigInt(low)) & ((1n << BigInt(Number(high) - Number(low) + 1)) - 1n),
  );
}

function hex(value: bigint): string {
  return value === 0n ? "0" : `0x${value.toString(16)}`;
}
