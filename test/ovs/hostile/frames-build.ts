import { checksum, mark } from "../e2e/frames.js";

/** Headers of which every field can be given, and be wrong. Left out, fields are as they should be. */

export const PROTOCOL = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, esp: 50 } as const;
export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

const ICMP6 = 58;
/** What neighbour discovery demands (RFC 4861, section 7.1). */
const HOP_LIMIT = 255;

export function word(value: number): Buffer {
  return Buffer.from([(value >>> 8) & 0xff, value & 0xff]);
}

export function ipBytes(text: string): Buffer {
  return Buffer.from(text.split(".").map(Number));
}

export function macBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(":", ""), "hex");
}

export interface Ip4 {
  readonly from: string;
  readonly to: string;
  readonly protocol: number;
  readonly payload: Buffer;
  readonly version?: number;
  /** Of whole words; padded with "end of options". */
  readonly options?: Buffer;
  /** In words, options included. */
  readonly headerLength?: number;
  readonly totalLength?: number;
  /** Flags and offset, 16 bits. */
  readonly fragment?: number;
  readonly ttl?: number;
  /** Added to the right one. */
  readonly checksumError?: number;
}

export function ip4(packet: Ip4): Buffer {
  const { options = Buffer.alloc(0), payload, checksumError = 0 } = packet;
  const padded = Buffer.concat([options, Buffer.alloc((4 - (options.length % 4)) % 4)]);
  const length = 20 + padded.length;
  const words = packet.headerLength ?? length / 4;
  const head = Buffer.concat([
    Buffer.from([(((packet.version ?? 4) & 15) << 4) | (words & 15), 0]),
    ...[word(packet.totalLength ?? length + payload.length), word(0x1234)],
    ...[word(packet.fragment ?? 0), Buffer.from([packet.ttl ?? 64, packet.protocol, 0, 0])],
    ...[ipBytes(packet.from), ipBytes(packet.to), padded],
  ]);
  head.writeUInt16BE((checksum(head) + checksumError) & 0xffff, 10);
  return Buffer.concat([head, payload]);
}

/** A marked datagram, without a checksum. @param length what its header says */
export function udp(label: string, ports: readonly [number, number], length?: number): Buffer {
  const data = mark(label);
  const fields = [...ports, length ?? 8 + data.length, 0];
  return Buffer.concat([...fields.map(word), data]);
}

/** A marked segment, of which only the checksum is never right. @param offsetAndFlags 16 bits */
export function tcp(label: string, ports: readonly [number, number], offsetAndFlags: number) {
  const fields = [...ports, 0x0102, 0x0304, 0x0506, 0x0708, offsetAndFlags, 0xffff, 0xbad0, 0];
  return Buffer.concat([...fields.map(word), mark(label)]);
}

/** @param rest the second word of the header */
export function icmp(
  type: number,
  code: number,
  body: Buffer,
  rest: Buffer = Buffer.alloc(4),
): Buffer {
  const message = Buffer.concat([Buffer.from([type, code, 0, 0]), rest, body]);
  message.writeUInt16BE(checksum(even(message)), 2);
  return message;
}

export interface Ip6 {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly next: number;
  readonly payload: Buffer;
  readonly length?: number;
}

export function ip6({ from, to, next, payload, length }: Ip6): Buffer {
  const head = [0x60, 0, 0, 0, ...word(length ?? payload.length), next, HOP_LIMIT];
  return Buffer.concat([Buffer.from(head), from, to, payload]);
}

export function icmp6(from: Buffer, to: Buffer, type: number, body: Buffer): Buffer {
  const message = Buffer.concat([Buffer.from([type, 0, 0, 0]), body]);
  const pseudo = Buffer.concat([from, to, word(0), word(message.length), word(0), word(ICMP6)]);
  message.writeUInt16BE(checksum(even(Buffer.concat([pseudo, message]))), 2);
  return ip6({ from, to, next: ICMP6, payload: message });
}

/** A frame without padding: what is short stays short. */
export function frame(to: string, from: string, type: number, ...payload: Buffer[]): Buffer {
  return Buffer.concat([macBytes(to), macBytes(from), word(type), ...payload]);
}

/** Puts tags behind the addresses of a frame: type and control information, 16 bits each. */
export function tag(untagged: Buffer, tags: ReadonlyArray<readonly [number, number]>): Buffer {
  const words = tags.flatMap(([type, control]) => [word(type), word(control)]);
  return Buffer.concat([untagged.subarray(0, 12), ...words, untagged.subarray(12)]);
}

function even(bytes: Buffer): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
}
