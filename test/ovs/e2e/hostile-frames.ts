import {
  type Arp,
  arpFrame,
  BROADCAST_MAC,
  type Ends,
  otherFrame,
  type Tag,
  udp6Frame,
  udpFrame,
} from "./frames.js";
import type { Workload } from "./workload.js";

/** Who sends, to whom, and the MACs that it may have learned of by some means. */
export interface Scene {
  readonly attacker: Workload;
  readonly router: string;
  readonly victims: readonly Workload[];
  /** The routers of other VPCs. */
  readonly foreignRouters: readonly string[];
  readonly exchangeMac: string;
}

/** Documentation range (RFC 5737): in nobody's block. */
const OUTSIDE = "198.51.100.7";
const LINK_LOCAL = Buffer.from("fe80000000000000000000fffe000001", "hex");
const ALL_NODES = Buffer.from("ff020000000000000000000000000001", "hex");
const NEW_NEIGHBOUR = "02:de:ad:be:ef:01";

type Frames = (scene: Scene, label: string) => Buffer[];

/** Frames of which nobody, the sender included, may see anything, by what is wrong with them. */
export const HOSTILE_FRAMES: Readonly<Record<string, Frames>> = {
  "a foreign source address": foreignSources,
  "a foreign source MAC": (scene, label) =>
    toEachVictim(
      scene,
      label,
      foreignMacs(scene).map((from) => ({ from, to: scene.router })),
    ),
  "a peer router's MAC as destination": (scene, label) =>
    toEachVictim(
      scene,
      label,
      scene.foreignRouters.map((to) => ownEnds(scene, to)),
    ),
  "the receiver's MAC as destination": (scene, label) =>
    toEachVictim(
      scene,
      label,
      scene.victims.map(({ mac }) => ownEnds(scene, mac)),
    ),
  "the exchange's MAC as destination": (scene, label) =>
    toEachVictim(scene, label, [ownEnds(scene, scene.exchangeMac)]),
  "a VLAN tag": tagged,
  IPv6: ipv6,
  "a fragment": fragments,
  "a broadcast or multicast destination": broadcasts,
  "another protocol": otherProtocols,
  "ARP with a foreign sender": foreignArp,
};

function ownEnds({ attacker }: Scene, to: string): Ends {
  return { from: attacker.mac, to };
}

function toEachVictim(scene: Scene, label: string, macs: readonly Ends[]): Buffer[] {
  const { attacker, victims } = scene;
  return macs.flatMap((ends) =>
    victims.map(({ ip }) => udpFrame(label, ends, { from: attacker.ip, to: ip })),
  );
}

/** Addresses of others, also of the receiver itself, of gateways and of nobody. */
function foreignSources(scene: Scene, label: string): Buffer[] {
  const { attacker, victims, router } = scene;
  const forged = [...victims.map(({ ip }) => ip), attacker.eni.gateway, OUTSIDE];
  const special = ["0.0.0.0", "127.0.0.1", "255.255.255.255", nextTo(attacker.ip)];
  return [...forged, ...special].flatMap((from) =>
    victims.map(({ ip }) => udpFrame(label, ownEnds(scene, router), { from, to: ip })),
  );
}

function foreignMacs({ victims, router, foreignRouters }: Scene): string[] {
  return [...victims.map(({ mac }) => mac), router, ...foreignRouters, NEW_NEIGHBOUR];
}

/** All else is right: a tag of either kind, of any VLAN or none, one or two of them. */
function tagged(scene: Scene, label: string): Buffer[] {
  const { attacker, victims, router } = scene;
  const tags: Tag[] = [0x8100, 0x88a8].flatMap((type) =>
    [0, 1, 100, 0xe000, 0xe064].map((tci) => ({ type, tci })),
  );
  const stacks = [...tags.map((tag) => [tag]), tags.slice(1, 3), tags.slice(6, 8)];
  return stacks.flatMap((stack) =>
    victims.map(({ ip }) => {
      const ips = { from: attacker.ip, to: ip };
      return udpFrame(label, ownEnds(scene, router), ips, { tags: stack });
    }),
  );
}

function ipv6(scene: Scene, label: string): Buffer[] {
  const targets = [scene.router, ...scene.victims.map(({ mac }) => mac), "33:33:00:00:00:01"];
  return targets.map((to) =>
    udp6Frame(label, ownEnds(scene, to), { from: LINK_LOCAL, to: ALL_NODES }),
  );
}

function fragments(scene: Scene, label: string): Buffer[] {
  const { attacker, victims, router } = scene;
  const positions = [
    { offset: 0, more: true },
    { offset: 16, more: true },
    { offset: 32, more: false },
  ];
  return positions.flatMap((fragment) =>
    victims.map(({ ip }) => {
      const ips = { from: attacker.ip, to: ip };
      return udpFrame(label, ownEnds(scene, router), ips, { fragment });
    }),
  );
}

function broadcasts(scene: Scene, label: string): Buffer[] {
  const { attacker, victims, router } = scene;
  const subnets = [attacker, ...victims].map(({ ip }) => ip.replace(/\d+$/, "255"));
  const targets = ["255.255.255.255", "224.0.0.1", "239.1.2.3", ...subnets];
  const macs = [BROADCAST_MAC, "01:00:5e:00:00:01", router];
  const routed = macs.flatMap((mac) =>
    targets.map((to) => udpFrame(label, ownEnds(scene, mac), { from: attacker.ip, to })),
  );
  return [
    ...routed,
    ...toEachVictim(
      scene,
      label,
      macs.slice(0, 2).map((to) => ownEnds(scene, to)),
    ),
  ];
}

/** MPLS, PPPoE, LLDP, slow protocols, loopback, and one that nobody knows. */
function otherProtocols(scene: Scene, label: string): Buffer[] {
  const types = [0x8847, 0x8864, 0x88cc, 0x8809, 0x9000, 0x88b5];
  const macs = [BROADCAST_MAC, "01:80:c2:00:00:00", "01:80:c2:00:00:0e", scene.router];
  const all = [...macs, ...scene.victims.map(({ mac }) => mac)];
  return types.flatMap((type) => all.map((to) => otherFrame(label, ownEnds(scene, to), type)));
}

/** Whatever the frame's own addresses say, nobody may believe it and nobody may answer. */
function foreignArp(scene: Scene, label: string): Buffer[] {
  const { attacker, victims, router } = scene;
  const own = { mac: attacker.mac, ip: attacker.ip };
  const gateway = { mac: attacker.mac, ip: attacker.eni.gateway };
  const asVictims = victims.map(({ ip }) => ({ mac: attacker.mac, ip }));
  const senders = [...asVictims, gateway, { ...own, mac: NEW_NEIGHBOUR }];
  const target = { mac: "00:00:00:00:00:00", ip: attacker.eni.gateway };
  const forged: Arp[] = senders.flatMap((sender) => [
    { operation: "request", sender, target },
    { operation: "request", sender, target: { ...target, ip: sender.ip } },
    { operation: "reply", sender, target: { mac: BROADCAST_MAC, ip: sender.ip } },
  ]);
  const unasked: Arp[] = victims.map((victim) => ({
    operation: "reply",
    sender: own,
    target: { mac: victim.mac, ip: victim.ip },
  }));
  const targets = [BROADCAST_MAC, router, ...victims.map(({ mac }) => mac)];
  return [...forged, ...unasked].flatMap((arp) =>
    targets.map((to) => arpFrame(label, ownEnds(scene, to), arp)),
  );
}

/** A neighbouring address of the same subnet. */
function nextTo(ip: string): string {
  return ip.replace(/\d+$/, (last) => String(Number(last) + 100));
}
