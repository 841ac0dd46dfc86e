import { afterAll, beforeAll, expect, it } from "vitest";
import { cidr, formatIp } from "../../../src/domain/cidr.js";
import type { RuleIntent, VpcIntent } from "../../../src/domain/intent.js";
import { routerMac } from "../../../src/domain/mac.js";
import type { Traffic } from "../../../src/domain/traffic.js";
import { TRAITS } from "../../support/datapath.js";
import { waitFor } from "../../support/rest.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { autoRouted, peering, vpc, wholeIntent } from "../../unit/pipeline/topologies.js";
import { ALL_WELL, eventually, type Installation, install } from "../backend/fixture.js";
import { BROADCAST_MAC, ethernet, ipv4, mark } from "../e2e/frames.js";
import { openingFrame } from "./packets.js";
import { Ports } from "./ports.js";

const IPV4 = 0x0800;
const [IGMP, UDP, GRE, ESP, ICMPV6, SCTP] = [2, 17, 47, 50, 58, 132];
const LIMIT_MS = 10_000;
const [A, B] = [vpc(1, ["10.10.1.0/24"], 2), vpc(2, ["10.20.1.0/24"])];
const [a0, a1, b0] = [A.interfaces[0], A.interfaces[1], B.interfaces[0]].map((eni) => {
  if (eni === undefined) throw new Error("an interface is missing");
  return eni;
}) as [VpcIntent["interfaces"][0], VpcIntent["interfaces"][0], VpcIntent["interfaces"][0]];
const EVERYTHING: Traffic = { kind: "all" };

let sandbox: Sandbox;
let installation: Installation;
let ports: Ports;
let count = 0;

beforeAll(async () => {
  sandbox = await startSandbox();
  installation = await install(sandbox);
  ports = new Ports(sandbox);
  await allow(EVERYTHING);
  const { backend, names } = installation;
  const places = [
    [A, a0],
    [A, a1],
    [B, b0],
  ] as const;
  for (const [{ number }, eni] of places) await ports.plug(names.vpcBridge(number), eni.id);
  await eventually(() => places.every(([, eni]) => backend.binding(eni.id).kind === "bound"));
  await allow(EVERYTHING);
});

afterAll(async () => {
  await ports.close();
  await installation.stop();
  await sandbox.stop();
});

/** Everybody may send everything, and everybody lets in this traffic, from anywhere. */
async function allow(traffic: Traffic): Promise<void> {
  const guarded = [A, B].map((each) => {
    const number = each.securityGroups[0]?.number ?? 0;
    const peer = { kind: "block", block: cidr("0.0.0.0/0") } as const;
    const rules: RuleIntent[] = [
      { id: "sgr-1", number: 1, direction: "ingress", traffic, peer },
      { id: "sgr-2", number: 2, direction: "egress", traffic: EVERYTHING, peer },
    ];
    return { ...each, securityGroups: [{ id: "sg", number, rules }] };
  });
  const topology = autoRouted({ vpcs: guarded, peerings: [peering(101, A, B)] });
  expect(await installation.reconcile(wholeIntent(topology))).toMatchObject(ALL_WELL);
  await sandbox.appctl("dpctl/flush-conntrack");
}

interface Sent {
  readonly to: string;
  readonly protocol?: number;
  readonly options?: boolean;
  readonly fragment?: { readonly offset: number; readonly more: boolean };
  readonly mac?: string;
}

/** Any payload: the mark stands behind where a header of UDP would be. */
function payloadOf(label: string): Buffer {
  const ports = Buffer.from([0x9c, 0x41, 0x00, 0x35]);
  const payload = Buffer.concat([ports, Buffer.alloc(4), mark(label)]);
  payload.writeUInt16BE(payload.length, 4);
  return payload;
}

function frameOf(label: string, { to, protocol = UDP, options, fragment, mac }: Sent): Buffer {
  const whole = ipv4({ from: formatIp(a0.ip), to }, payloadOf(label), fragment, protocol);
  const macs = { from: a0.mac, to: mac ?? routerMac(A.number) };
  return ethernet(macs, IPV4, options === true ? withOptions(whole) : whole);
}

/** One datagram to a neighbour, cut behind its header. */
function framesOfFragments(label: string): Buffer[] {
  const payload = payloadOf(label);
  const macs = { from: a0.mac, to: routerMac(A.number) };
  const fragments = [
    { part: payload.subarray(0, 8), position: { offset: 0, more: true } },
    { part: payload.subarray(8), position: { offset: 1, more: false } },
  ];
  return fragments.map(({ part, position }) =>
    ethernet(macs, IPV4, ipv4({ from: formatIp(a0.ip), to: NEIGHBOUR }, part, position, UDP)),
  );
}

/** Router alert (RFC 2113) behind the header, which grows by a word. */
function withOptions(packet: Buffer): Buffer {
  const head = Buffer.concat([packet.subarray(0, 20), Buffer.from([0x94, 0x04, 0, 0])]);
  head.writeUInt8(0x46, 0);
  head.writeUInt16BE(packet.length + 4, 2);
  head.writeUInt16BE(0, 10);
  let sum = 0;
  for (let at = 0; at < head.length; at += 2) sum += head.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  head.writeUInt16BE(~sum & 0xffff, 10);
  return Buffer.concat([head, packet.subarray(20)]);
}

/** The interfaces that packets of the first one come to. */
async function arrivalsOf(frames: (label: string) => Buffer[]): Promise<string[]> {
  count += 1;
  const label = `x${count}`;
  for (const frame of frames(label)) ports.send(a0.id, frame);
  await settle();
  return ports.seen(label);
}

const arrivals = (sent: Sent) => arrivalsOf((label) => [frameOf(label, sent)]);

/** Pings of the gateways, twice: what was sent before has gone its way when they are answered. */
async function settle(): Promise<void> {
  for (const round of [1, 2]) {
    const pings = [a0, a1, b0].map((eni) => {
      const own = eni === b0 ? B : A;
      const gateway = own.subnets[0]?.gateway ?? eni.ip;
      const ends = {
        macs: { from: eni.mac, to: routerMac(own.number) },
        from: eni.ip,
        to: gateway,
      };
      const label = `p${count}-${round}-${eni.id}`;
      ports.send(eni.id, openingFrame(label, ends, { kind: "icmp", type: 8, code: 0 }));
      return { label, id: eni.id };
    });
    const all = () => pings.every(({ label, id }) => ports.seen(label).includes(id));
    await waitFor(all, LIMIT_MS, "answers of the gateways");
  }
}

const NEIGHBOUR = formatIp(a1.ip);
const PEER = formatIp(b0.ip);

it.each<[string, Sent, string[]]>([
  ["udp to a neighbour", { to: NEIGHBOUR }, [a1.id]],
  ["udp to a peer", { to: PEER }, [b0.id]],
  ["gre to a peer", { to: PEER, protocol: GRE }, [b0.id]],
  ["esp to a neighbour", { to: NEIGHBOUR, protocol: ESP }, [a1.id]],
  ["esp to a peer", { to: PEER, protocol: ESP }, [b0.id]],
  ["icmpv6 to a neighbour", { to: NEIGHBOUR, protocol: ICMPV6 }, []],
  ["options", { to: PEER, options: true }, [b0.id]],
  ["multicast", { to: "239.1.2.3", mac: "01:00:5e:01:02:03" }, []],
  ["multicast to the router", { to: "239.1.2.3" }, []],
  ["multicast on the link", { to: "224.0.0.251", mac: "01:00:5e:00:00:fb" }, []],
  ["igmp", { to: "224.0.0.22", mac: "01:00:5e:00:00:16", protocol: IGMP, options: true }, []],
  ["broadcast", { to: "255.255.255.255", mac: BROADCAST_MAC }, []],
  ["broadcast to the router", { to: "255.255.255.255" }, []],
  ["broadcast in the subnet", { to: "10.10.1.255", mac: BROADCAST_MAC }, []],
  ["broadcast in the subnet to the router", { to: "10.10.1.255" }, []],
  ["broadcast in a peer's subnet", { to: "10.20.1.255" }, []],
  ["a first fragment", { to: PEER, fragment: { offset: 0, more: true } }, []],
  ["a later fragment", { to: PEER, fragment: { offset: 8, more: false } }, []],
])("%s, with everything allowed", async (_what, sent, to) => {
  expect(await arrivals(sent)).toEqual(to);
});

it("a datagram in fragments passes where the datapath puts fragments together", async () => {
  const { joinsFragments } = TRAITS[sandbox.datapath];
  expect(await arrivalsOf(framesOfFragments)).toEqual(joinsFragments ? [a1.id] : []);
});

it("lets a protocol pass by its number, and no other", async () => {
  await allow({ kind: "protocol", protocol: ESP });
  expect(await arrivals({ to: PEER, protocol: ESP })).toEqual([b0.id]);
  expect(await arrivals({ to: PEER, protocol: GRE })).toEqual([]);
  expect(await arrivals({ to: PEER, protocol: SCTP })).toEqual([]);
  expect(await arrivals({ to: PEER })).toEqual([]);
});
