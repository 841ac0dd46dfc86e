import { gatewayOf } from "../../../src/domain/address-plan.js";
import { addressAt, cidr } from "../../../src/domain/cidr.js";
import type {
  InterfaceIntent,
  PeeringIntent,
  PeeringSide,
  SubnetIntent,
  VpcIntent,
} from "../../../src/domain/intent.js";
import type { Flow } from "../../../src/openflow/flow.js";
import type { RenderOptions, VpcPorts } from "../../../src/pipeline/render.js";
import { exchangeBaseFlows, exchangeFlows, vpcBridgeFlows } from "../../../src/pipeline/render.js";

export const OPTIONS: RenderOptions = { mark: 0xabcdef, dropFragments: true };

/** The port of the exchange on every VPC bridge. */
export const UPLINK = 1;

/** Some VPCs with every interface bound, and the peerings among them. */
export interface Topology {
  readonly vpcs: readonly VpcIntent[];
  readonly peerings: readonly PeeringIntent[];
}

/** A VPC with `perSubnet` interfaces in each subnet; numbers derive from the VPC's. */
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
  return { id: `vpc-${number}`, number, generation: 1, blocks, subnets: made, interfaces };
}

function subnetOf(vpcNumber: number, text: string, index: number): SubnetIntent {
  const block = cidr(text);
  return { id: `subnet-${vpcNumber}-${index}`, block, gateway: gatewayOf(block) };
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
    mac: `02:00:00:00:${hexByte(vpcNumber)}:${hexByte(index)}`,
  };
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

export function peering(
  number: number,
  requester: VpcIntent,
  accepter: VpcIntent,
  options: { autoRoutes?: boolean; admitted?: boolean } = {},
): PeeringIntent {
  const { autoRoutes = true, admitted = true } = options;
  return {
    id: `pcx-${number}`,
    number,
    requester: sideOf(requester, autoRoutes),
    accepter: sideOf(accepter, autoRoutes),
    admitted,
  };
}

function sideOf({ id, number, blocks }: VpcIntent, autoRoutes: boolean): PeeringSide {
  return { vpcId: id, vpcNumber: number, blocks, autoRoutes };
}

/** The uplink is port 1, interfaces follow in order from 2. */
export function portsOf(intent: VpcIntent): VpcPorts {
  return {
    uplink: UPLINK,
    interfaces: new Map(intent.interfaces.map(({ id }, index) => [id, UPLINK + 1 + index])),
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

export const TOPOLOGIES = {
  "lone-vpc": { vpcs: [a], peerings: [] },
  "two-subnets": { vpcs: [vpc(1, ["10.10.1.0/24", "10.10.2.0/24"], 2)], peerings: [] },
  "two-peered": { vpcs: [a, b], peerings: [peering(101, a, b)] },
  chain: { vpcs: [a, b, c], peerings: [peering(101, a, b), peering(102, b, c)] },
} as const satisfies Record<string, Topology>;
