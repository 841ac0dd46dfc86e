import { gatewayOf } from "../domain/address-plan.js";
import { cidr, parseIp } from "../domain/cidr.js";
import type { PeeringIntent, PeeringSide, RouteIntent, VpcIntent } from "../domain/intent.js";
import type { Flow } from "../openflow/flow.js";
import { exchangeBaseFlows, exchangeFlows, type RenderOptions, vpcBridgeFlows } from "./render.js";

/**
 * The flows that docs/pipeline.md quotes: VPC 1, 10.10.0.0/16, peered with VPCs 2 and 3, which both
 * have 10.20.0.0/16.
 */
export interface ExampleFlows {
  readonly vpc: readonly Flow[];
  readonly exchange: readonly Flow[];
}

const OPTIONS: RenderOptions = { mark: 0xabcdef, dropFragments: true };
const UPLINK_PORT = 1;
const INTERFACE_PORT = 2;
const MAIN_TABLE = 7;
const [WITH_VPC_2, WITH_VPC_3] = [101, 102];

/** A whole block to one peer, a part of it to the other, and a route whose peering has gone. */
const ROUTES: readonly RouteIntent[] = [
  { destination: cidr("10.20.0.0/16"), peering: WITH_VPC_2 },
  { destination: cidr("10.20.128.0/17"), peering: WITH_VPC_3 },
  { destination: cidr("10.30.0.0/16"), peering: null },
];

export function exampleFlows(): ExampleFlows {
  const vpc = exampleVpc();
  const peerings = [examplePeering(vpc, WITH_VPC_2, 2), examplePeering(vpc, WITH_VPC_3, 3)];
  const interfaces = new Map(vpc.interfaces.map(({ id }) => [id, INTERFACE_PORT]));
  const uplinks = new Map(peerings.flatMap(uplinkPorts));
  return {
    vpc: vpcBridgeFlows(vpc, peerings, { uplink: UPLINK_PORT, interfaces }, OPTIONS),
    exchange: [...exchangeBaseFlows(OPTIONS), ...exchangeFlows(peerings, uplinks, OPTIONS)],
  };
}

/** On the example's exchange a VPC's port is its number. */
function uplinkPorts({ requester, accepter }: PeeringIntent): [string, number][] {
  return [requester, accepter].map(({ vpcId, vpcNumber }) => [vpcId, vpcNumber]);
}

function exampleVpc(): VpcIntent {
  const block = cidr("10.10.1.0/24");
  const ip = parseIp("10.10.1.10");
  if (ip === undefined) throw new Error("the example's address is none");
  const eni = { id: "eni", number: 16, subnetId: "subnet", ip, mac: "02:00:00:00:00:01" };
  return {
    id: "vpc-1",
    number: 1,
    generation: 1,
    blocks: [cidr("10.10.0.0/16")],
    subnets: [{ id: "subnet", block, gateway: gatewayOf(block), routeTable: MAIN_TABLE }],
    interfaces: [eni],
    routeTables: [{ id: "rtb", number: MAIN_TABLE, routes: ROUTES }],
  };
}

function examplePeering(vpc: VpcIntent, number: number, peer: number): PeeringIntent {
  const requester: PeeringSide = { vpcId: vpc.id, vpcNumber: vpc.number, blocks: vpc.blocks };
  const accepter: PeeringSide = {
    vpcId: `vpc-${peer}`,
    vpcNumber: peer,
    blocks: [cidr("10.20.0.0/16")],
  };
  return { id: `pcx-${number}`, number, requester, accepter, admitted: true };
}
