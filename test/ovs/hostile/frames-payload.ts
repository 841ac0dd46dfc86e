import type { Random } from "../../faults/random.js";
import { mark } from "../e2e/frames.js";
import { ETHERTYPE, frame, icmp, ip4, ipBytes, PROTOCOL, tcp, udp, word } from "./frames-build.js";
import { forgedAddress, type Surroundings } from "./frames-forged.js";

/** What an IPv4 packet may carry, marked. */
interface Payload {
  readonly name: string;
  readonly protocol: number;
  readonly payload: Buffer;
}

type Make = (random: Random, scene: Surroundings, label: string) => Payload;

/** Where nobody listens: what gets there is answered at once or never, and not again later. */
const ports = (random: Random) =>
  [random.between(1024, 65535), random.between(1024, 65535)] as const;

const MAKERS: readonly Make[] = [datagram, segment, query, error, redirect, tunnel, gre, oddity];

export function randomPayload(random: Random, scene: Surroundings, label: string): Payload {
  return random.pick(MAKERS)(random, scene, label);
}

function datagram(random: Random, _: Surroundings, label: string): Payload {
  const length = random.chance(0.3) ? random.pick([0, 1, 7, 8, 9, 1400, 65535]) : undefined;
  const name = length === undefined ? "UDP" : "UDP with a false length";
  return { name, protocol: PROTOCOL.udp, payload: udp(label, ports(random), length) };
}

/** Any flags, any data offset, without options that it might point behind. */
function segment(random: Random, _: Surroundings, label: string): Payload {
  const offset = random.pick([5, 5, 5, 0, 4, 15]);
  const payload = tcp(label, ports(random), (offset << 12) | random.between(0, 0x1ff));
  return { name: "TCP", protocol: PROTOCOL.tcp, payload };
}

function query(random: Random, _: Surroundings, label: string): Payload {
  const [type, code] = [
    random.pick([0, 8, 10, 13, 14, 15, 17, 18, 42]),
    random.pick([0, 0, 1, 255]),
  ];
  return {
    name: `ICMP ${type}/${code}`,
    protocol: PROTOCOL.icmp,
    payload: icmp(type, code, mark(label)),
  };
}

/** An error about a packet that others are said to have sent one another. */
function error(random: Random, scene: Surroundings, label: string): Payload {
  const [type, code] = random.pick([
    [3, 0],
    [3, 1],
    [3, 3],
    [3, 4],
    [4, 0],
    [11, 0],
    [11, 1],
    [12, 0],
  ]);
  const payload = icmp(type ?? 3, code ?? 0, saidToBe(random, scene, label), word4(1400));
  return { name: `ICMP error ${type}/${code}`, protocol: PROTOCOL.icmp, payload };
}

/** "Better go there": to somebody else's address. */
function redirect(random: Random, scene: Surroundings, label: string): Payload {
  const better = ipBytes(forgedAddress(random, scene));
  const payload = icmp(5, random.between(0, 3), saidToBe(random, scene, label), better);
  return { name: "ICMP redirect", protocol: PROTOCOL.icmp, payload };
}

/** A packet between others inside one's own, in IP or in UDP as VXLAN and Geneve have it. */
function tunnel(random: Random, scene: Surroundings, label: string): Payload {
  const inner = saidToBe(random, scene, label);
  const port = random.pick([0, 4789, 6081]);
  if (port === 0) return { name: "IP in IP", protocol: PROTOCOL.ipip, payload: inner };
  const whole = frame(scene.router, scene.mac, ETHERTYPE.ipv4, inner);
  const shim = Buffer.from(port === 4789 ? "0800000000006400" : "0000655800006400", "hex");
  const head = [9999, port, 16 + whole.length, 0].map(word);
  return {
    name: `tunnel by ${port}`,
    protocol: PROTOCOL.udp,
    payload: Buffer.concat([...head, shim, whole]),
  };
}

function gre(random: Random, scene: Surroundings, label: string): Payload {
  const flags = random.pick([0, 0x2000, 0x8000, 0xb000, 0x3001]);
  const payload = Buffer.concat([
    word(flags),
    word(ETHERTYPE.ipv4),
    saidToBe(random, scene, label),
  ]);
  return { name: "GRE", protocol: PROTOCOL.gre, payload };
}

/** ESP, AH, IPv6 in IPv4, IGMP, SCTP, UDP-Lite and what nobody has named. */
function oddity(random: Random, _: Surroundings, label: string): Payload {
  const protocol = random.pick([0, 2, PROTOCOL.ipv6, PROTOCOL.esp, 51, 58, 132, 136, 253, 255]);
  return {
    name: `protocol ${protocol}`,
    protocol,
    payload: Buffer.concat([word4(1), mark(label)]),
  };
}

function saidToBe(random: Random, scene: Surroundings, label: string): Buffer {
  const [from, to] = [forgedAddress(random, scene), forgedAddress(random, scene)];
  return ip4({ from, to, protocol: PROTOCOL.udp, payload: udp(label, ports(random)) });
}

/** Source routes through others, records, and lengths that point anywhere. */
export function randomOptions(random: Random, scene: Surroundings): Buffer {
  const via = ipBytes(forgedAddress(random, scene));
  const kinds = [
    Buffer.concat([Buffer.from([131, 7, 4]), via]),
    Buffer.concat([Buffer.from([137, 7, 4]), via]),
    Buffer.concat([Buffer.from([131, 39, 4]), via]),
    Buffer.from([7, 7, 4, 0, 0, 0, 0]),
    Buffer.from([68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.from([148, 4, 0, 0]),
    Buffer.from([130, 0]),
    Buffer.from([random.between(0, 255), random.between(0, 255)]),
  ];
  return random.pick(kinds);
}

function word4(value: number): Buffer {
  return Buffer.concat([word(0), word(value)]);
}
