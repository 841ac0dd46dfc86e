import { networkInterfaces } from "node:os";
import { type Arp, arpFrame, BROADCAST_MAC, mark } from "../e2e/frames.js";
import {
  ETHERTYPE,
  frame,
  icmp,
  icmp6,
  ip4,
  ip6,
  PROTOCOL,
  tag,
  udp,
  word,
} from "./frames-build.js";

/** Who throws, and the host's end of its link. */
export interface HostScene {
  readonly mac: string;
  readonly ip: string;
  readonly gateway: string;
  readonly hostMac: string;
  /** IPv4 addresses of the host, of any of its devices. */
  readonly addresses: readonly string[];
  /** IPv6 addresses, of 16 bytes. */
  readonly addresses6: readonly Buffer[];
}

const DHCP = [68, 67] as const;
const MULTICAST_MAC = "01:00:5e:00:00:01";
const ALL_NODES_MAC = "33:33:00:00:00:01";
const ALL_NODES = Buffer.from("ff020000000000000000000000000001", "hex");
const ALL_ROUTERS = Buffer.from("ff020000000000000000000000000002", "hex");
const UNSPECIFIED = Buffer.alloc(16);
const OWN_LINK_LOCAL = Buffer.from("fe80000000000000000000fffe000001", "hex");
const [ECHO, ECHO6, ROUTER_ADVERTISEMENT, SOLICITATION, ADVERTISEMENT] = [8, 128, 134, 135, 136];

/** The host's addresses as they are now. */
export function hostAddresses(): Pick<HostScene, "addresses" | "addresses6"> {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const of = (family: string) =>
    all.filter((entry) => entry.family === family).map(({ address }) => address);
  return { addresses: [...new Set(of("IPv4"))], addresses6: [...new Set(of("IPv6"))].map(bytes6) };
}

/** Frames for the host itself, by kind: it may take none of them and answer none. */
export const FRAMES_TO_HOST: Readonly<
  Record<string, (scene: HostScene, label: string) => Buffer[]>
> = { "IPv4 datagrams": datagrams, pings, ARP: arp, IPv6: ipv6, "VLAN tags": tagged };

/** To every address, as unicast and else, also from nowhere (as DHCP does) and from itself. */
function datagrams(scene: HostScene, label: string): Buffer[] {
  const groups = ["255.255.255.255", "224.0.0.1", "224.0.0.251", "239.255.255.250", "0.0.0.0"];
  const nets = scene.addresses.map((address) => address.replace(/\d+$/, "255"));
  const sources = ["0.0.0.0", "0.1.2.3", "127.0.0.1", "198.51.100.7", scene.gateway];
  return [scene.ip, ...sources, ...scene.addresses].flatMap((from) =>
    [...scene.addresses, ...groups, ...nets].flatMap((to) => {
      const payload = udp(label, DHCP);
      const packet = ip4({ from, to, protocol: PROTOCOL.udp, payload });
      return [scene.hostMac, BROADCAST_MAC, MULTICAST_MAC].map((mac) =>
        frame(mac, scene.mac, ETHERTYPE.ipv4, packet),
      );
    }),
  );
}

function pings(scene: HostScene, label: string): Buffer[] {
  const payload = icmp(ECHO, 0, mark(label));
  return scene.addresses.flatMap((to) =>
    [scene.ip, scene.gateway].map((from) => {
      const packet = ip4({ from, to, protocol: PROTOCOL.icmp, payload });
      return frame(scene.hostMac, scene.mac, ETHERTYPE.ipv4, packet);
    }),
  );
}

/** Who has the host's addresses; and that somebody else has them. */
function arp(scene: HostScene, label: string): Buffer[] {
  const none = "00:00:00:00:00:00";
  const packets: Arp[] = scene.addresses.flatMap((ip) => [
    { operation: "request", sender: { mac: scene.mac, ip: scene.ip }, target: { mac: none, ip } },
    { operation: "request", sender: { mac: scene.mac, ip: "0.0.0.0" }, target: { mac: none, ip } },
    { operation: "request", sender: { mac: scene.mac, ip }, target: { mac: none, ip } },
    { operation: "reply", sender: { mac: scene.mac, ip }, target: { mac: scene.hostMac, ip } },
    {
      operation: "reply",
      sender: { mac: scene.mac, ip: ip.replace(/\d+$/, "1") },
      target: { mac: scene.hostMac, ip },
    },
  ]);
  return packets.flatMap((packet) =>
    [BROADCAST_MAC, scene.hostMac].map((to) => arpFrame(label, { from: scene.mac, to }, packet)),
  );
}

function ipv6(scene: HostScene, label: string): Buffer[] {
  const targets = [ALL_NODES, ALL_ROUTERS, linkLocalOf(scene.hostMac), ...scene.addresses6];
  const sourceOption = Buffer.concat([Buffer.from([1, 1]), macOf(scene.mac)]);
  const packets = targets.flatMap((to) => [
    ...[OWN_LINK_LOCAL, UNSPECIFIED, to].map((from) =>
      ip6({ from, to, next: PROTOCOL.udp, payload: udp(label, DHCP) }),
    ),
    icmp6(OWN_LINK_LOCAL, to, ECHO6, Buffer.concat([word(1), word(1), mark(label)])),
    icmp6(OWN_LINK_LOCAL, to, SOLICITATION, Buffer.concat([Buffer.alloc(4), to, sourceOption])),
    icmp6(OWN_LINK_LOCAL, to, ADVERTISEMENT, Buffer.concat([Buffer.alloc(4), to, sourceOption])),
    icmp6(OWN_LINK_LOCAL, to, ROUTER_ADVERTISEMENT, routerAdvertisement()),
  ]);
  return packets.flatMap((packet) =>
    [ALL_NODES_MAC, scene.hostMac].map((to) => frame(to, scene.mac, ETHERTYPE.ipv6, packet)),
  );
}

/** VLAN 0 is no VLAN: the host would take such frames for untagged, however many tags there are. */
function tagged(scene: HostScene, label: string): Buffer[] {
  const inner = [...pings(scene, label), ...arp(scene, label), ...ipv6(scene, label).slice(0, 8)];
  const stacks = [
    [[0x8100, 0]],
    [[0x8100, 7]],
    [
      [0x88a8, 0],
      [0x8100, 0],
    ],
    [
      [0x8100, 0],
      [0x8100, 0],
    ],
  ] as const;
  return inner.flatMap((untagged) => stacks.map((stack) => tag(untagged, stack)));
}

/** "I am a router for half an hour": whoever believes it sends everything there. */
function routerAdvertisement(): Buffer {
  return Buffer.concat([Buffer.from([64, 0]), word(1800), Buffer.alloc(8)]);
}

/** As the kernel makes it of a MAC (RFC 4291, appendix A). */
function linkLocalOf(mac: string): Buffer {
  const bytes = macOf(mac);
  bytes[0] = (bytes[0] ?? 0) ^ 2;
  const half = [bytes.subarray(0, 3), Buffer.from([0xff, 0xfe]), bytes.subarray(3)];
  return Buffer.concat([Buffer.from("fe80000000000000", "hex"), ...half]);
}

function macOf(text: string): Buffer {
  return Buffer.from(text.replaceAll(":", ""), "hex");
}

function bytes6(text: string): Buffer {
  const [head = "", tail] = text.split("::");
  const groups = (part: string | undefined) => (part ? part.split(":") : []);
  const missing = 8 - groups(head).length - groups(tail).length;
  const all =
    tail === undefined
      ? groups(head)
      : [...groups(head), ...Array(missing).fill("0"), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}
