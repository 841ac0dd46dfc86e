import { ETHERTYPE } from "./frames-build.js";

/** What a frame is judged by: nothing of the frame that was thrown, only of what came in. */
export interface Ends {
  readonly name: string;
  readonly mac: string;
  readonly ip: string;
  readonly gateway: string;
  /** The MAC of its own router. */
  readonly router: string;
}

export interface Judging<End extends Ends> {
  /** Who throws at present. Nobody else sends, except in answer. */
  readonly thrower: End;
  readonly everybody: readonly End[];
  /** Whether packets of the first may get to the second. */
  may(from: End, to: End): boolean;
}

const MARK = Buffer.from("patchbay-e2e:");
const ARP_REPLY = 2;
const ECHO_REPLY = 0;
const PROTOCOL_ICMP = 1;
/** Ethernet and IPv4 header. */
const LEAST = 34;

/** @returns why the frame should not have come in at the receiver; undefined when it may */
export function breach<End extends Ends>(
  frame: Buffer,
  receiver: End,
  judging: Judging<End>,
): string | undefined {
  const type = frame.readUInt16BE(12);
  if (macAt(frame, 0) !== receiver.mac) return `it is for ${macAt(frame, 0)}`;
  if (macAt(frame, 6) !== receiver.router) return `it is from the MAC ${macAt(frame, 6)}`;
  if (type === ETHERTYPE.arp) return arpBreach(frame, receiver, judging);
  if (type !== ETHERTYPE.ipv4) return `its type is ${type.toString(16)}`;
  return ipBreach(frame, receiver, judging);
}

/** The router answers those who ask. Its answer has the bytes behind the question in it. */
function arpBreach<End extends Ends>(frame: Buffer, receiver: End, { thrower }: Judging<End>) {
  if (frame.length < 42 || frame.readUInt16BE(20) !== ARP_REPLY) return "nobody may ask it";
  if (macAt(frame, 22) !== receiver.router) return `it tells of the MAC ${macAt(frame, 22)}`;
  if (receiver !== thrower && frame.includes(MARK)) return "another one has asked";
  return undefined;
}

/** The version is left to the receiver: Open vSwitch goes by the type alone. */
function ipBreach<End extends Ends>(frame: Buffer, receiver: End, judging: Judging<End>) {
  if (frame.length < LEAST) return "it is cut";
  const [from, to] = [addressAt(frame, 26), addressAt(frame, 30)];
  if ((frame.readUInt16BE(20) & 0x3fff) !== 0) return "it is a fragment";
  if (to !== receiver.ip) return `it is for ${to}`;
  if (from === receiver.gateway) return gatewayBreach(frame, receiver, judging);
  return senderOf(from, receiver, judging) === undefined ? `it is from ${from}` : undefined;
}

function gatewayBreach<End extends Ends>(frame: Buffer, receiver: End, { thrower }: Judging<End>) {
  // Behind the options, which the router leaves in its answer.
  const message = 14 + (frame.readUInt8(14) & 15) * 4;
  const answer = frame.readUInt8(23) === PROTOCOL_ICMP && frame[message] === ECHO_REPLY;
  if (!answer) return "its gateway only answers pings";
  return receiver !== thrower && frame.includes(MARK) ? "another one has asked" : undefined;
}

/** Whoever receives something has it from who throws, or, when that is itself, from an answer. */
function senderOf<End extends Ends>(from: string, receiver: End, judging: Judging<End>) {
  const { thrower, everybody, may } = judging;
  const candidates = receiver === thrower ? everybody.filter((end) => end !== receiver) : [thrower];
  return candidates.find(
    (end) =>
      end.ip === from && (may(end, receiver) || (receiver === thrower && may(receiver, end))),
  );
}

function macAt(frame: Buffer, at: number): string {
  return (frame.toString("hex", at, at + 6).match(/../g) ?? []).join(":");
}

function addressAt(frame: Buffer, at: number): string {
  return [...frame.subarray(at, at + 4)].join(".");
}
