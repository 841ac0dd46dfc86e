import { cidr, parseIp } from "../../src/domain/cidr.js";
import type {
  IntentSlice,
  InterfaceIntent,
  PeeringIntent,
  RulePeer,
  Scope,
  SecurityGroupIntent,
  VpcIntent,
} from "../../src/domain/intent.js";

/** VPC number `n` has 10.n.0.0/16, one subnet 10.n.1.0/24 and interfaces from 10.n.1.4 on. */
export function vpcIntent(n: number, interfaceCount = 0): VpcIntent {
  const subnetId = `subnet-${n}`;
  const interfaces = Array.from({ length: interfaceCount }, (_, index) =>
    interfaceIntent(n, index, subnetId),
  );
  return {
    id: vpcId(n),
    number: n,
    generation: 1,
    blocks: [cidr(`10.${n}.0.0/16`)],
    subnets: [
      { id: subnetId, block: cidr(`10.${n}.1.0/24`), gateway: ip(`10.${n}.1.1`), routeTable: n },
    ],
    interfaces,
    securityGroups: [openGroup(n)],
    peerGroups: [],
    routeTables: [{ id: `rtb-${n}`, number: n, routes: [] }],
  };
}

/** A security group that refuses nothing; rules have numbers from 10 n on. */
export function openGroup(n: number): SecurityGroupIntent {
  const peer: RulePeer = { kind: "block", block: cidr("0.0.0.0/0") };
  const traffic = { kind: "all" } as const;
  const rules = (["ingress", "egress"] as const).map((direction, index) => {
    const number = n * 10 + index;
    return { id: `sgr-${number}`, number, direction, traffic, peer };
  });
  return { id: `sg-${n}`, number: n, rules };
}

function interfaceIntent(n: number, index: number, subnetId: string): InterfaceIntent {
  const number = n * 10 + index;
  const mac = `02:00:00:00:${hex(n)}:${hex(index + 4)}`;
  const address = ip(`10.${n}.1.${index + 4}`);
  const further = { secondaryIps: [], addressPairs: [] };
  return { id: eniId(n, index), number, subnetId, ip: address, mac, ...further, groups: [n] };
}

export function peeringIntent(
  number: number,
  a: number,
  b: number,
  admitted = true,
): PeeringIntent {
  const side = (n: number) => ({
    vpcId: vpcId(n),
    vpcNumber: n,
    blocks: [cidr(`10.${n}.0.0/16`)],
  });
  return { id: `pcx-${number}`, number, requester: side(a), accepter: side(b), admitted };
}

/**
 * A slice as the store would read it: only VPCs and peerings of the scope, and in the route table
 * of each VPC the routes that come with its admitted peerings.
 */
export function slice(
  scope: Scope,
  vpcs: readonly VpcIntent[],
  peerings: readonly PeeringIntent[] = [],
): IntentSlice {
  const inScope = (id: string) => scope === "all" || scope.has(id);
  return {
    scope,
    generation: 1,
    vpcs: new Map(
      vpcs.filter(({ id }) => inScope(id)).map((vpc) => [vpc.id, withRoutes(vpc, peerings)]),
    ),
    peerings: peerings.filter(
      ({ requester, accepter }) => inScope(requester.vpcId) || inScope(accepter.vpcId),
    ),
  };
}

function withRoutes(vpc: VpcIntent, peerings: readonly PeeringIntent[]): VpcIntent {
  const routes = peerings.flatMap(({ number, requester, accepter, admitted }) => {
    const sides = [requester, accepter];
    if (!admitted || !sides.some(({ vpcId: id }) => id === vpc.id)) return [];
    const peers = sides.filter(({ vpcId: id }) => id !== vpc.id);
    return peers.flatMap((peer) =>
      peer.blocks.map((destination) => ({ destination, peering: number })),
    );
  });
  return { ...vpc, routeTables: vpc.routeTables.map((table) => ({ ...table, routes })) };
}

export function scopeOf(...numbers: readonly number[]): ReadonlySet<string> {
  return new Set(numbers.map(vpcId));
}

export function vpcId(n: number): string {
  return `vpc-${n}`;
}

export function eniId(n: number, index = 0): string {
  return `eni-${n}-${index}`;
}

function ip(text: string) {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, "0");
}
