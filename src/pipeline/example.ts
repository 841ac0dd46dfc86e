import { gatewayOf } from "../domain/address-plan.js";
import { cidr, type Ip, parseIp } from "../domain/cidr.js";
import type {
  PeeringIntent,
  PeeringSide,
  RouteIntent,
  SecurityGroupIntent,
  VpcIntent,
} from "../domain/intent.js";
import { TCP } from "../domain/traffic.js";
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

const OPTIONS: RenderOptions = { mark: 0xabcdef, dropFragments: true, dropsBeyondRoom: false };
const UPLINK_PORT = 1;
const PLUGGED = { port: 2, zones: { caller: 8, called: 9 } };
const MAIN_TABLE = 7;
const WEB = 5;
const LOCAL = 0;
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
  const interfaces = new Map(vpc.interfaces.map(({ id }) => [id, PLUGGED]));
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
  const [ip, secondary] = [exampleIp("10.10.1.10"), exampleIp("10.10.1.11")];
  const eni = {
    id: "eni",
    number: 16,
    subnetId: "subnet",
    ip,
    secondaryIps: [secondary],
    mac: "02:00:00:00:00:01",
    addressPairs: [{ block: cidr("10.10.1.64/28"), mac: "00:00:5e:00:01:07" }],
    groups: [WEB],
  };
  return {
    id: "vpc-1",
    number: 1,
    generation: 1,
    blocks: [cidr("10.10.0.0/16")],
    subnets: [{ id: "subnet", block, gateway: gatewayOf(block), routeTable: MAIN_TABLE }],
    interfaces: [eni],
    securityGroups: [webGroup()],
    peerGroups: [{ group: WEB, peering: LOCAL, vpcId: "vpc-1", members: [eni], limited: false }],
    routeTables: [{ id: "rtb", number: MAIN_TABLE, routes: ROUTES }],
  };
}

function exampleIp(text: string): Ip {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error("the example's address is none");
  return ip;
}

/** Lets in web from anywhere and the database's port from its own members; lets out everything. */
function webGroup(): SecurityGroupIntent {
  const anywhere = { kind: "block", block: cidr("0.0.0.0/0") } as const;
  const web = { kind: "ports", protocol: TCP, from: 443, to: 443 } as const;
  const databases = { kind: "ports", protocol: TCP, from: 5432, to: 5435 } as const;
  const own = { kind: "group", id: "sg", group: WEB } as const;
  return {
    id: "sg",
    number: WEB,
    rules: [
      { id: "sgr-1", number: 1, direction: "ingress", traffic: web, peer: anywhere },
      { id: "sgr-2", number: 2, direction: "ingress", traffic: databases, peer: own },
      { id: "sgr-3", number: 3, direction: "egress", traffic: { kind: "all" }, peer: anywhere },
    ],
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
