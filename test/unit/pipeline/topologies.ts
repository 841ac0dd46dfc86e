import { gatewayOf } from "../../../src/domain/address-plan.js";
import { addressAt, cidr, formatCidr } from "../../../src/domain/cidr.js";
import type {
  IntentSlice,
  InterfaceIntent,
  PeeringIntent,
  PeeringSide,
  RouteTableIntent,
  RuleIntent,
  RulePeer,
  SubnetIntent,
  VpcIntent,
} from "../../../src/domain/intent.js";
import { TCP, type Traffic } from "../../../src/domain/traffic.js";
import { decodeCookie } from "../../../src/openflow/cookie.js";
import type { Flow } from "../../../src/openflow/flow.js";
import type { RenderOptions, VpcPorts } from "../../../src/pipeline/render.js";
import { exchangeBaseFlows, exchangeFlows, vpcBridgeFlows } from "../../../src/pipeline/render.js";
import { openGroup } from "../../support/intents.js";

export const OPTIONS: RenderOptions = {
  mark: 0xabcdef,
  dropFragments: true,
  dropsBeyondRoom: false,
};

/** The port of the exchange on every VPC bridge. */
export const UPLINK = 1;

/** Some VPCs with every interface bound, and the peerings among them. */
export interface Topology {
  readonly vpcs: readonly VpcIntent[];
  readonly peerings: readonly PeeringIntent[];
}

/** What a backend is given to make the switch agree with all of it. */
export function wholeIntent({ vpcs, peerings }: Topology): IntentSlice {
  const byId = new Map(vpcs.map((vpc) => [vpc.id, vpc]));
  return { scope: "all", generation: 1, vpcs: byId, peerings };
}

/**
 * A VPC with `perSubnet` interfaces in each subnet, all of which follow its main route table;
 * numbers derive from the VPC's, and its /16 from its first subnet.
 */
export function vpc(number: number, subnets: readonly string[], perSubnet = 1): VpcIntent {
  const [first] = subnets;
  if (first === undefined) throw new Error("a VPC needs a subnet");
  const made = subnets.map((block, index) => subnetOf(number, block, index));
  const interfaces = made.flatMap((subnet, index) =>
    Array.from({ length: perSubnet }, (_, position) =>
      interfaceOf(number, subnet, index * perSubnet + position, position),
    ),
  );
  const block = `${first.split(".").slice(0, 2).join(".")}.0.0/16`;
  const blocks = [cidr(block)];
  const routeTables = [routeTable(number, 0, {})];
  return {
    id: `vpc-${number}`,
    number,
    generation: 1,
    blocks,
    subnets: made,
    interfaces,
    securityGroups: [openGroup(number)],
    peerGroups: [],
    routeTables,
  };
}

function subnetOf(vpcNumber: number, text: string, index: number): SubnetIntent {
  const block = cidr(text);
  const id = `subnet-${vpcNumber}-${index}`;
  return { id, block, gateway: gatewayOf(block), routeTable: tableNumber(vpcNumber, 0) };
}

/** Number of a VPC's main table, of index 0, or of a further one. */
function tableNumber(vpcNumber: number, index: number): number {
  return vpcNumber * 32 + index;
}

/** Destinations and the numbers of the peerings that they lead to; null for a blackhole. */
export type Routes = Readonly<Record<string, number | null>>;

function routeTable(vpcNumber: number, index: number, routes: Routes): RouteTableIntent {
  return {
    id: `rtb-${vpcNumber}-${index}`,
    number: tableNumber(vpcNumber, index),
    routes: Object.entries(routes).map(([text, to]) => ({ destination: cidr(text), peering: to })),
  };
}

/** The VPC with these route tables, the main one first; subnet `i` follows table `i` if there is. */
export function routed(intent: VpcIntent, ...tables: readonly Routes[]): VpcIntent {
  const { number, subnets } = intent;
  const follows = (index: number) => tableNumber(number, index < tables.length ? index : 0);
  return {
    ...intent,
    subnets: subnets.map((subnet, index) => ({ ...subnet, routeTable: follows(index) })),
    routeTables: tables.map((routes, index) => routeTable(number, index, routes)),
  };
}

/** The topology with a route to each block of each peer in the main tables of both sides. */
export function autoRouted({ vpcs, peerings }: Topology): Topology {
  const routesOf = ({ id }: VpcIntent): Routes =>
    Object.fromEntries(
      peerings.flatMap(({ number, requester, accepter, admitted }) => {
        if (!admitted) return [];
        const peers = [requester, accepter].filter(({ vpcId }) => vpcId !== id);
        if (peers.length !== 1) return [];
        return peers.flatMap(({ blocks }) => blocks.map((b) => [formatCidr(b), number] as const));
      }),
    );
  return { vpcs: vpcs.map((intent) => routed(intent, routesOf(intent))), peerings };
}

function interfaceOf(
  vpcNumber: number,
  subnet: SubnetIntent,
  index: number,
  position: number,
): InterfaceIntent {
  return {
    id: `eni-${vpcNumber}-${index}`,
    number: vpcNumber * 16 + index,
    subnetId: subnet.id,
    ip: addressAt(subnet.block, BigInt(10 + position)),
    secondaryIps: [],
    addressPairs: [],
    mac: `02:00:00:00:${hexByte(vpcNumber)}:${hexByte(index)}`,
    groups: [vpcNumber],
  };
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

export function peering(
  number: number,
  requester: VpcIntent,
  accepter: VpcIntent,
  { admitted = true }: { readonly admitted?: boolean } = {},
): PeeringIntent {
  const [left, right] = [sideOf(requester), sideOf(accepter)];
  return { id: `pcx-${number}`, number, requester: left, accepter: right, admitted };
}

function sideOf({ id, number, blocks }: VpcIntent): PeeringSide {
  return { vpcId: id, vpcNumber: number, blocks };
}

/** The uplink is port 1, interfaces follow in order from 2. Those of peers are plugged in, too. */
export function portsOf(intent: VpcIntent): VpcPorts {
  const members = intent.peerGroups.flatMap((group) => group.members);
  return {
    uplink: UPLINK,
    interfaces: new Map(
      intent.interfaces.map(({ id, number }, index) => [
        id,
        { port: UPLINK + 1 + index, zones: { caller: 2 * number, called: 2 * number + 1 } },
      ]),
    ),
    peerInterfaces: new Set(members.map(({ id }) => id)),
  };
}

/** On the exchange a VPC's port is its number. */
export function uplinksOf(vpcs: readonly VpcIntent[]): ReadonlyMap<string, number> {
  return new Map(vpcs.map(({ id, number }) => [id, number]));
}

/** Every bridge of a topology with its flows; the exchange is called `exchange`. */
export function bridgesOf({ vpcs, peerings }: Topology): Map<string, Flow[]> {
  const bridges = vpcs.map(
    (intent) => [intent.id, vpcBridgeFlows(intent, peerings, portsOf(intent), OPTIONS)] as const,
  );
  const exchange = [
    ...exchangeBaseFlows(OPTIONS),
    ...exchangeFlows(peerings, uplinksOf(vpcs), OPTIONS),
  ];
  return new Map([...bridges, ["exchange", exchange]]);
}

const a = vpc(1, ["10.10.1.0/24"]);
const b = vpc(2, ["10.20.1.0/24"]);
const c = vpc(3, ["10.30.1.0/24"]);

/** A has two subnets; B and C, its peers, have the same addresses. */
const hub = vpc(1, ["10.10.1.0/24", "10.10.2.0/24"]);
const twin = vpc(3, ["10.20.1.0/24", "10.20.129.0/24"]);
const rivals = [peering(101, hub, b), peering(102, hub, twin)];

function rivalry(...tables: readonly Routes[]): Topology {
  const back = { "10.10.0.0/16": 101 };
  const vpcs = [routed(hub, ...tables), routed(b, back), routed(twin, { "10.10.0.0/16": 102 })];
  return { vpcs, peerings: rivals };
}

const anywhere: RulePeer = { kind: "block", block: cidr("0.0.0.0/0") };
const membersOf = (group: number): RulePeer => ({ kind: "group", id: `sg-${group}`, group });
const tcp = (from: number, to: number): Traffic => ({ kind: "ports", protocol: TCP, from, to });

/** Something of every kind that rules can say, in one group. */
const EVERY_KIND: readonly (readonly [RuleIntent["direction"], Traffic, RulePeer])[] = [
  ["ingress", { kind: "icmp", type: 8, code: 0 }, anywhere],
  ["ingress", { kind: "icmp", type: 0, code: null }, anywhere],
  ["ingress", { kind: "protocol", protocol: 47 }, anywhere],
  ["ingress", tcp(0, 1), anywhere],
  ["ingress", tcp(443, 443), membersOf(1)],
  ["ingress", tcp(443, 443), membersOf(2)],
  ["ingress", tcp(32_768, 65_534), membersOf(2)],
  ...["10.20.1.10/32", "10.20.0.0/16", "192.168.0.0/16"].map(
    (block) => ["ingress", tcp(1021, 5003), { kind: "block", block: cidr(block) }] as const,
  ),
  ["egress", { kind: "all" }, membersOf(2)],
  ["egress", tcp(0, 65_535), anywhere],
  ["ingress", { kind: "protocol", protocol: 0 }, anywhere],
];

/** The VPC with one group that has rules of every kind; VPC 2 is its peer by 101. */
function guarded(intent: VpcIntent): VpcIntent {
  const rules = EVERY_KIND.map(([direction, traffic, peer], index) => {
    const number = 10 + index;
    return { id: `sgr-${number}`, number, direction, traffic, peer };
  });
  return {
    ...intent,
    securityGroups: [{ id: "sg-1", number: 1, rules }],
    peerGroups: [
      { group: 1, peering: 0, vpcId: a.id, members: a.interfaces, limited: false },
      { group: 2, peering: 101, vpcId: b.id, members: b.interfaces, limited: false },
    ],
  };
}

/** Two interfaces share addresses, by their own MACs and by one; each has a secondary address. */
function sharing(intent: VpcIntent): VpcIntent {
  const shared = { block: cidr("10.10.1.100/32"), mac: "00:00:5e:00:01:07" };
  return {
    ...intent,
    interfaces: intent.interfaces.map((eni, index) => ({
      ...eni,
      secondaryIps: [addressAt(cidr("10.10.1.0/24"), BigInt(20 + index))],
      addressPairs: [shared, { block: cidr("10.10.1.64/28"), mac: eni.mac }],
    })),
  };
}

export const TOPOLOGIES = {
  "lone-vpc": { vpcs: [a], peerings: [] },
  "two-subnets": { vpcs: [vpc(1, ["10.10.1.0/24", "10.10.2.0/24"], 2)], peerings: [] },
  "two-peered": autoRouted({ vpcs: [a, b], peerings: [peering(101, a, b)] }),
  guarded: autoRouted({ vpcs: [guarded(a), b], peerings: [peering(101, a, b)] }),
  "shared-addresses": { vpcs: [sharing(vpc(1, ["10.10.1.0/24"], 2))], peerings: [] },
  chain: autoRouted({ vpcs: [a, b, c], peerings: [peering(101, a, b), peering(102, b, c)] }),
  /** The first subnet means B, the second one C. */
  "equal-blocks": rivalry({ "10.20.0.0/16": 101 }, { "10.20.0.0/16": 102 }),
  /** The first subnet means C by a longer prefix, B otherwise; the second has lost its peering. */
  "parts-of-blocks": rivalry(
    { "0.0.0.0/0": 101, "10.20.128.0/17": 102 },
    { "0.0.0.0/0": 101, "10.20.1.0/24": null },
  ),
} as const satisfies Record<string, Topology>;

/** Those of `flows` that were rendered for one peering, by cookie. */
export function peeringFlowsOf(flows: readonly Flow[], peeringNumber: number): Flow[] {
  return flows.filter((flow) => {
    const { category, object } = decodeCookie(flow.cookie);
    return category === "peering" && object === peeringNumber;
  });
}
