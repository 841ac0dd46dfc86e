import type { FieldKind, WireField } from "./fields.js";
import { NotEncodable } from "./not-encodable.js";

/** The bytes of a field, as many as it has, and which bits of them count; undefined: all. */
export interface FieldValue {
  readonly value: Uint8Array;
  readonly mask: Uint8Array | undefined;
}

type Read = (text: string, bytes: number) => FieldValue | undefined;

/** Bits of `ct_state` (ovs-fields(7)). */
const CT_STATE_BITS: Readonly<Record<string, number>> = {
  new: 0,
  est: 1,
  rel: 2,
  rpl: 3,
  inv: 4,
  trk: 5,
  snat: 6,
  dnat: 7,
};

/** Bits of `tcp_flags` (RFC 9293, section 3.1). */
const TCP_FLAG_BITS: Readonly<Record<string, number>> = {
  fin: 0,
  syn: 1,
  rst: 2,
  psh: 3,
  ack: 4,
  urg: 5,
};

const READERS: Readonly<Record<FieldKind, Read>> = {
  number: maskable(readNumber, readNumber),
  mac: maskable(readMac, readMac),
  ipv4: maskable(readIpv4, readPrefix),
  ctState: (text, bytes) => readFlags(CT_STATE_BITS, text, bytes),
  tcpFlags: (text, bytes) => readFlags(TCP_FLAG_BITS, text, bytes),
  fragment: readFragment,
  vlanTag: readVlanTag,
};

/**
 * Reads a value in the switch's spelling, such as `0x10/0xfff0`, `10.0.0.0/8` or `-inv+trk`.
 * @throws NotEncodable
 */
export function readFieldValue({ kind, bytes }: WireField, text: string): FieldValue {
  const found = READERS[kind](text, bytes);
  if (found === undefined) throw new NotEncodable(`the value "${text}"`);
  return found;
}

type ReadBytes = (text: string, bytes: number) => Uint8Array | undefined;

function maskable(readValue: ReadBytes, readMask: ReadBytes): Read {
  return (text, bytes) => {
    const slash = text.indexOf("/");
    const value = readValue(slash < 0 ? text : text.slice(0, slash), bytes);
    const mask = slash < 0 ? undefined : readMask(text.slice(slash + 1), bytes);
    if (value === undefined || (slash >= 0 && mask === undefined)) return undefined;
    return { value, mask };
  };
}

function readNumber(text: string, bytes: number): Uint8Array | undefined {
  if (!/^(?:\d+|0x[0-9a-f]+)$/.test(text)) return undefined;
  const number = Number(text);
  return number < 2 ** Math.min(8 * bytes, 32) ? bytesOf(number, bytes) : undefined;
}

/** Of numbers up to 32 bits; wider fields begin with zeros. */
function bytesOf(number: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => {
    const below = bytes - 1 - index;
    return below < 4 ? number >>> (8 * below) : 0;
  });
}

function readMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(text)) return undefined;
  return Uint8Array.from(text.split(":"), (digits) => Number.parseInt(digits, 16));
}

function readIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  const isAddress = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part));
  return isAddress && parts.every((part) => Number(part) < 256)
    ? Uint8Array.from(parts, Number)
    : undefined;
}

/** A prefix length, or a mask in full. */
function readPrefix(text: string, bytes: number): Uint8Array | undefined {
  if (!/^\d+$/.test(text)) return readIpv4(text);
  const length = Number(text);
  if (length < 1 || length > 32) return undefined;
  return bytesOf(2 ** 32 - 2 ** (32 - length), bytes);
}

function readFlags(
  bits: Readonly<Record<string, number>>,
  text: string,
  bytes: number,
): FieldValue | undefined {
  if (!/^(?:[+-][a-z]+)+$/.test(text)) return undefined;
  let [value, mask] = [0, 0];
  for (const [, sign, name = ""] of text.matchAll(/([+-])([a-z]+)/g)) {
    const bit = bits[name];
    if (bit === undefined) return undefined;
    mask |= 1 << bit;
    if (sign === "+") value |= 1 << bit;
  }
  return { value: bytesOf(value, bytes), mask: bytesOf(mask, bytes) };
}

/** Any fragment, the first or a later one (NX_IP_FRAG_ANY). */
function readFragment(text: string): FieldValue | undefined {
  return text === "yes" ? { value: Uint8Array.of(1), mask: Uint8Array.of(1) } : undefined;
}

/** That there is a tag: OFPVID_PRESENT of the field that has taken the place of `vlan_tci`. */
function readVlanTag(text: string): FieldValue | undefined {
  const present = Uint8Array.of(0x10, 0);
  return text === "0x1000/0x1000" ? { value: present, mask: present } : undefined;
}
