import type { Random } from "../../faults/random.js";
import { mark } from "../e2e/frames.js";
import { ETHERTYPE, frame, ip4, PROTOCOL, tag, word } from "./frames-build.js";
import { forgedAddress, forgedMac, type Surroundings } from "./frames-forged.js";
import { randomArp, randomIp6 } from "./frames-neighbours.js";
import { randomOptions, randomPayload } from "./frames-payload.js";

/** A frame, and what was done to it. */
export interface Thrown {
  readonly frame: Buffer;
  readonly label: string;
  readonly what: string;
}

interface Packet {
  to: string;
  from: string;
  ip: Parameters<typeof ip4>[0];
}

type Twist = (packet: Packet, random: Random, scene: Surroundings) => void;

/** Ways of getting an IPv4 packet wrong that is right otherwise; several may be done to one. */
const TWISTS: Readonly<Record<string, Twist>> = {
  "foreign source MAC": (packet, random, scene) => {
    packet.from = forgedMac(random, scene);
  },
  "foreign destination MAC": (packet, random, scene) => {
    packet.to = forgedMac(random, scene);
  },
  "foreign source": (packet, random, scene) => {
    packet.ip = { ...packet.ip, from: forgedAddress(random, scene) };
  },
  "foreign destination": (packet, random, scene) => {
    packet.ip = { ...packet.ip, to: forgedAddress(random, scene) };
  },
  fragment: (packet, random) => {
    packet.ip = {
      ...packet.ip,
      fragment: random.pick([0x2000, 0x2002, 0x0002, 0x1fff, 0xffff, 0x8000]),
    };
  },
  options: (packet, random, scene) => {
    packet.ip = { ...packet.ip, options: randomOptions(random, scene) };
  },
  "header length": (packet, random) => {
    packet.ip = { ...packet.ip, headerLength: random.between(0, 15) };
  },
  "total length": (packet, random) => {
    packet.ip = { ...packet.ip, totalLength: random.pick([0, 1, 19, 20, 21, 28, 1400, 65535]) };
  },
  version: (packet, random) => {
    packet.ip = { ...packet.ip, version: random.pick([0, 5, 6, 15]) };
  },
  "time to live": (packet, random) => {
    packet.ip = { ...packet.ip, ttl: random.pick([0, 1, 255]) };
  },
  checksum: (packet, random) => {
    packet.ip = { ...packet.ip, checksumError: random.between(1, 0xfffe) };
  },
  protocol: (packet, random) => {
    packet.ip = { ...packet.ip, protocol: random.between(0, 255) };
  },
};

const TAG_TYPES = [0x8100, 0x88a8, 0x9100] as const;
const CONTROLS = [0, 1, 5, 100, 4095, 0x1000, 0x8001, 0xe064] as const;
/** MPLS, PPPoE, LLDP, slow protocols, loopback, EAPOL, RARP, bridged Ethernet, NSH, lengths. */
const OTHER_TYPES = [
  0x8847, 0x8848, 0x8863, 0x8864, 0x88cc, 0x8809, 0x9000, 0x888e, 0x8035, 0x6558, 0x894f, 0x0026,
  0x05dc, 0x0000,
] as const;
/** What comes between such a type and an IPv4 packet in it: a label, a session, a SNAP header. */
const SHIMS = ["", "00064140", "110000010064", "1100000100640021", "aaaa030000000800"] as const;

/** @param label names the frame wherever it, or a part of it, is seen */
export function randomFrame(random: Random, scene: Surroundings, label: string): Thrown {
  const what: string[] = [];
  const kind = random.unit();
  let bytes: Buffer;
  if (kind < 0.12) bytes = randomArp(random, scene, label, what);
  else if (kind < 0.22) bytes = randomIp6(random, scene, label, what);
  else if (kind < 0.32) bytes = otherType(random, scene, label, what);
  else bytes = twisted(random, scene, label, what);
  bytes = spoilt(random, bytes, what);
  return { frame: bytes, label, what: what.join(", ") || "nothing" };
}

function twisted(random: Random, scene: Surroundings, label: string, what: string[]): Buffer {
  const { protocol, payload, name } = randomPayload(random, scene, label);
  what.push(name);
  const ip = { from: scene.ip, to: random.pick(scene.targets), protocol, payload };
  const packet: Packet = { to: scene.router, from: scene.mac, ip };
  for (let times = random.between(0, 3); times > 0; times--) {
    const [twist, change] = random.pick(Object.entries(TWISTS));
    what.push(twist);
    change(packet, random, scene);
  }
  return frame(packet.to, packet.from, ETHERTYPE.ipv4, ip4(packet.ip));
}

/** An IPv4 packet that is right, inside something that is none. */
function otherType(random: Random, scene: Surroundings, label: string, what: string[]): Buffer {
  const type = random.pick(OTHER_TYPES);
  what.push(`type ${type.toString(16)}`);
  const payload = mark(label);
  const ends = { from: scene.ip, to: random.pick(scene.targets) };
  const inner = ip4({ ...ends, protocol: PROTOCOL.udp, payload });
  const to = random.chance(0.5) ? scene.router : forgedMac(random, scene);
  return frame(to, scene.mac, type, Buffer.from(random.pick(SHIMS), "hex"), inner);
}

/** What can happen to any frame: tags, cuts, bytes behind its end, other bits. */
function spoilt(random: Random, bytes: Buffer, what: string[]): Buffer {
  let result = bytes;
  if (random.chance(0.12)) {
    what.push("tags");
    const tags = Array.from(
      { length: random.between(1, 3) },
      () => [random.pick(TAG_TYPES), random.pick(CONTROLS)] as const,
    );
    result = tag(result, tags);
  }
  if (random.chance(0.08)) {
    what.push("cut");
    result = result.subarray(0, random.between(14, result.length));
  }
  if (random.chance(0.05)) {
    what.push("trailer");
    result = Buffer.concat([result, Buffer.alloc(random.between(1, 200), 0x5a)]);
  }
  if (random.chance(0.04)) {
    what.push("a flipped bit");
    result = Buffer.from(result);
    const at = random.between(12, result.length - 1);
    result[at] = (result[at] ?? 0) ^ (1 << random.between(0, 7));
  }
  return result;
}

/** A frame with nothing wrong: where it may go, it arrives. */
export function rightFrame(scene: Surroundings, to: string, label: string): Buffer {
  const payload = Buffer.concat([...[9999, 9, 8 + mark(label).length, 0].map(word), mark(label)]);
  const packet = ip4({ from: scene.ip, to, protocol: PROTOCOL.udp, payload });
  return frame(scene.router, scene.mac, ETHERTYPE.ipv4, packet);
}
