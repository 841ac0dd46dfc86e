import { gatewayOf } from "../domain/address-plan.js";
import { cidr, parseIp } from "../domain/cidr.js";
import type { PeeringIntent, PeeringSide, VpcIntent } from "../domain/intent.js";
import type { Flow } from "../openflow/flow.js";
import { exchangeBaseFlows, exchangeFlows, type RenderOptions, vpcBridgeFlows } from "./render.js";

/** The flows that docs/pipeline.md quotes: VPC 1, 10.10.0.0/16, peered with VPC 2, 10.20.0.0/16. */
export interface ExampleFlows {
  readonly vpc: readonly Flow[];
  readonly exchange: readonly Flow[];
}

const OPTIONS: RenderOptions = { mark: 0xabcdef, dropFragments: true };
const UPLINK_PORT = 1;
const INTERFACE_PORT = 2;

export function exampleFlows(): ExampleFlows {
  const vpc = exampleVpc();
  const peerings = [examplePeering(vpc)];
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
    subnets: [{ id: "subnet", block, gateway: gatewayOf(block) }],
    interfaces: [eni],
  };
}

function examplePeering({ id, number, blocks }: VpcIntent): PeeringIntent {
  const requester: PeeringSide = { vpcId: id, vpcNumber: number, blocks, autoRoutes: true };
  const accepter: PeeringSide = {
    vpcId: "vpc-2",
    vpcNumber: 2,
    blocks: [cidr("10.20.0.0/16")],
    autoRoutes: true,
  };
  return { id: "pcx", number: 101, requester, accepter, admitted: true };
}
