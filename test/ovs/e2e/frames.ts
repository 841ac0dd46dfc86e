/** Raw frames, written out so that a test can get any field of them wrong. */

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
const PROTOCOL_UDP = 17;
const TTL = 64;
/** Discard: nobody answers, so only the frame itself can be seen. */
const UDP_PORT = 9;
const ETHERNET_MINIMUM = 60;

export const BROADCAST_MAC = "ff:ff:ff:ff:ff:ff";

/** What workload.py looks for: see MARK there. */
export function mark(label: string): Buffer {
  return Buffer.from(`patchbay-e2e:${label}\0`, "ascii");
}

export interface Ends {
  readonly from: string;
  readonly to: string;
}

/** A VLAN tag: TPID (0x8100 or 0x88a8) and TCI. */
export interface Tag {
  readonly type: number;
  readonly tci: number;
}

export function ethernet(macs: Ends, type: number, payload: Buffer, tags: Tag[] = []): Buffer {
  const tagWords = tags.flatMap((tag) => [word(tag.type), word(tag.tci)]);
  const frame = Buffer.concat([macOf(macs.to), macOf(macs.from), ...tagWords, word(type), payload]);
  const padding = Math.max(0, ETHERNET_MINIMUM - frame.length);
  return Buffer.concat([frame, Buffer.alloc(padding)]);
}

/** Position in a fragmented packet: RFC 791. */
export interface Fragment {
  /** Of its first byte, in units of 8. */
  readonly offset: number;
  readonly more: boolean;
}

/** A marked UDP datagram; the frame is right when its ends are. */
export function udpFrame(
  label: string,
  macs: Ends,
  ips: Ends,
  wrong: { readonly tags?: Tag[]; readonly fragment?: Fragment } = {},
): Buffer {
  const packet = ipv4(ips, udp(mark(label)), wrong.fragment);
  return ethernet(macs, ETHERTYPE_IPV4, packet, wrong.tags);
}

/** A marked UDP datagram over IPv6. */
export function udp6Frame(label: string, macs: Ends, ips: { from: Buffer; to: Buffer }): Buffer {
  const payload = udp(mark(label));
  const head = Buffer.from([0x60, 0, 0, 0, ...word(payload.length), PROTOCOL_UDP, TTL]);
  return ethernet(macs, ETHERTYPE_IPV6, Buffer.concat([head, ips.from, ips.to, payload]));
}

/** A marked frame of any other protocol. */
export function otherFrame(label: string, macs: Ends, type: number): Buffer {
  return ethernet(macs, type, mark(label));
}

/** Fields of an ARP packet (RFC 826). */
export interface Arp {
  readonly operation: "request" | "reply";
  readonly sender: { readonly mac: string; readonly ip: string };
  readonly target: { readonly mac: string; readonly ip: string };
}

/** An ARP packet with a mark behind it, where Ethernet has padding. */
export function arpFrame(label: string, macs: Ends, arp: Arp): Buffer {
  const { operation, sender, target } = arp;
  const packet = Buffer.concat([
    Buffer.from([0, 1, 8, 0, 6, 4, 0, operation === "request" ? 1 : 2]),
    ...[macOf(sender.mac), ipOf(sender.ip), macOf(target.mac), ipOf(target.ip)],
    mark(label),
  ]);
  return ethernet(macs, ETHERTYPE_ARP, packet);
}

export function ipv4(
  ips: Ends,
  payload: Buffer,
  fragment: Fragment = { offset: 0, more: false },
  protocol = PROTOCOL_UDP,
): Buffer {
  const position = (fragment.more ? 0x2000 : 0) | fragment.offset;
  const head = Buffer.concat([
    Buffer.from([0x45, 0, ...word(20 + payload.length), 0x12, 0x34, ...word(position)]),
    Buffer.from([TTL, protocol, 0, 0]),
    ipOf(ips.from),
    ipOf(ips.to),
  ]);
  head.writeUInt16BE(checksum(head), 10);
  return Buffer.concat([head, payload]);
}

/** Without a checksum, which UDP over IPv4 may leave out. */
function udp(payload: Buffer): Buffer {
  const head = [word(UDP_PORT), word(UDP_PORT), word(8 + payload.length), word(0)];
  return Buffer.concat([...head, payload]);
}

/** The Internet checksum (RFC 1071) of an even number of bytes. */
export function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function word(value: number): Buffer {
  return Buffer.from([value >>> 8, value & 0xff]);
}

function macOf(text: string): Buffer {
  return Buffer.from(text.replaceAll(":", ""), "hex");
}

function ipOf(text: string): Buffer {
  return Buffer.from(text.split(".").map(Number));
}
