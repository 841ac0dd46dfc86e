import { formatIp, type Ip } from "../../../src/domain/cidr.js";
import { type Opening, protocolOf } from "../../../src/domain/reachability/question.js";
import { TCP } from "../../../src/domain/traffic.js";
import { checksum, type Ends, ethernet, ipv4, mark } from "../e2e/frames.js";

const IPV4 = 0x0800;
const CLIENT_PORT = 40_001;
const [SYN, SYN_ACK] = [0x02, 0x12];
const ECHO_REPLY = 0;

export interface PacketEnds {
  readonly macs: Ends;
  readonly from: Ip;
  readonly to: Ip;
}

/** The first packet of a connection, marked. */
export function openingFrame(label: string, ends: PacketEnds, opening: Opening): Buffer {
  return frame(ends, protocolOf(opening), segment(label, ends, opening, "opening"));
}

/** What the other end answers with; `ends` are those of the answer. */
export function answerFrame(label: string, ends: PacketEnds, opening: Opening): Buffer {
  return frame(ends, protocolOf(opening), segment(label, ends, opening, "answer"));
}

function frame({ macs, from, to }: PacketEnds, protocol: number, payload: Buffer): Buffer {
  const ips = { from: formatIp(from), to: formatIp(to) };
  return ethernet(macs, IPV4, ipv4(ips, payload, undefined, protocol));
}

type Direction = "opening" | "answer";

function segment(label: string, ends: PacketEnds, opening: Opening, direction: Direction): Buffer {
  const payload = mark(label);
  if (opening.kind === "icmp") return icmp(opening, direction, payload);
  if (opening.kind === "protocol") return payload;
  const ports = [CLIENT_PORT, opening.port];
  const [source = 0, target = 0] = direction === "opening" ? ports : ports.reverse();
  if (opening.protocol === TCP) return tcp(ends, source, target, direction, payload);
  return Buffer.concat([words(source, target, 8 + payload.length, 0), payload]);
}

/** An echo request, or its answer with the same identifier (RFC 792). */
function icmp(
  { type, code }: Opening & { kind: "icmp" },
  direction: Direction,
  payload: Buffer,
): Buffer {
  const kind = direction === "opening" ? type : ECHO_REPLY;
  const message = Buffer.concat([Buffer.from([kind, code]), words(0, 0x1234, 1), payload]);
  message.writeUInt16BE(checksum(even(message)), 2);
  return message;
}

function tcp(ends: PacketEnds, source: number, target: number, direction: Direction, data: Buffer) {
  const acknowledged = direction === "answer" ? 1 : 0;
  const flags = direction === "answer" ? SYN_ACK : SYN;
  const head = Buffer.concat([
    words(source, target, 0, acknowledged === 1 ? 500 : 0, 0, acknowledged),
    Buffer.from([0x50, flags]),
    words(0xffff, 0, 0),
  ]);
  const whole = Buffer.concat([head, data]);
  const pseudo = Buffer.concat([address(ends.from), address(ends.to), words(TCP, whole.length)]);
  whole.writeUInt16BE(checksum(even(Buffer.concat([pseudo, whole]))), 16);
  return whole;
}

function address({ value }: Ip): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Number(value));
  return bytes;
}

function words(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.from([value >>> 8, value & 0xff])));
}

function even(bytes: Buffer): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
}
