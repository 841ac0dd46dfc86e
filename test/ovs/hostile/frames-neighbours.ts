import type { Random } from "../../faults/random.js";
import { mark } from "../e2e/frames.js";
import {
  ETHERTYPE,
  frame,
  icmp6,
  ip6,
  ipBytes,
  macBytes,
  PROTOCOL,
  udp,
  word,
} from "./frames-build.js";
import { forgedAddress, forgedMac, type Surroundings } from "./frames-forged.js";

const OWN_LINK_LOCAL = Buffer.from("fe80000000000000000000fffe000001", "hex");
const ADDRESSES6 = [
  "ff020000000000000000000000000001",
  "ff020000000000000000000000000002",
  "ff0200000000000000000001ff000001",
  "fe80000000000000000000fffe000001",
  "fd000000000000000000000000000002",
  "00000000000000000000ffff0a010104",
  "20020a01010400000000000000000001",
  "00000000000000000000000000000000",
  "00000000000000000000000000000001",
] as const;
/** Extension headers that lead nowhere, routing through others among them. */
const NEXT_HEADERS = [0, 43, 44, 50, 59, 60, 135, 253] as const;
const ICMP6_TYPES = [1, 2, 3, 4, 128, 130, 131, 133, 134, 135, 136, 137, 143] as const;

/** ARP of any kind about anybody, lies about its own lengths included. */
export function randomArp(
  random: Random,
  scene: Surroundings,
  label: string,
  what: string[],
): Buffer {
  const honest = <T>(own: T, forged: T) => (random.chance(0.4) ? own : forged);
  const operation = random.pick([1, 1, 1, 2, 2, 2, 0, 3, 8, 9, 10, 255]);
  const lengths = random.chance(0.85) ? [6, 4] : [random.between(0, 255), random.between(0, 255)];
  const kind = random.chance(0.9) ? [0, 1, 8, 0] : [0, 6, 0x86, 0xdd];
  what.push(`ARP ${operation}`);
  return frame(
    honest("ff:ff:ff:ff:ff:ff", forgedMac(random, scene)),
    honest(scene.mac, forgedMac(random, scene)),
    ETHERTYPE.arp,
    Buffer.from([...kind, ...lengths, ...word(operation)]),
    macBytes(honest(scene.mac, forgedMac(random, scene))),
    ipBytes(honest(scene.ip, forgedAddress(random, scene))),
    macBytes(forgedMac(random, scene)),
    ipBytes(honest(scene.gateway, forgedAddress(random, scene))),
    mark(label),
  );
}

/** IPv6, which nobody here speaks: neighbours, routers, listeners, extension headers. */
export function randomIp6(
  random: Random,
  scene: Surroundings,
  label: string,
  what: string[],
): Buffer {
  const address = () => Buffer.from(random.pick(ADDRESSES6), "hex");
  const [from, to] = [random.chance(0.5) ? OWN_LINK_LOCAL : address(), address()];
  const destination = random.chance(0.5) ? "33:33:00:00:00:01" : forgedMac(random, scene);
  const length = random.chance(0.1) ? random.pick([0, 7, 65535]) : undefined;
  let packet: Buffer;
  if (random.chance(0.6)) {
    const type = random.pick(ICMP6_TYPES);
    what.push(`ICMPv6 ${type}`);
    const body = Buffer.concat([Buffer.alloc(4), address(), Buffer.from([2, 1])]);
    packet = icmp6(from, to, type, Buffer.concat([body, macBytes(scene.mac), mark(label)]));
  } else {
    const next = random.chance(0.5) ? PROTOCOL.udp : random.pick(NEXT_HEADERS);
    what.push(`IPv6 with ${next}`);
    const datagram = udp(label, [9999, 9999]);
    const extension = Buffer.concat([Buffer.from([PROTOCOL.udp, 0]), Buffer.alloc(6)]);
    const payload = next === PROTOCOL.udp ? datagram : Buffer.concat([extension, datagram]);
    packet = ip6({ from, to, next, payload, ...(length !== undefined && { length }) });
  }
  return frame(destination, scene.mac, ETHERTYPE.ipv6, packet);
}
