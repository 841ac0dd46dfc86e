import type {
  InterfaceIntent,
  PeerGroupIntent,
  PeeringIntent,
  PeeringSide,
  VpcIntent,
} from "../domain/intent.js";
import { routerMac } from "../domain/mac.js";
import { type CookieCategory, encodeCookie } from "../openflow/cookie.js";
import type { Flow } from "../openflow/flow.js";
import { LAYOUT } from "./layout.js";
import { LOCAL } from "./registers.js";
import { type FlowSpec, tableFlow } from "./table-flow.js";
import { VPC_TABLES } from "./tables.js";

export interface RenderOptions {
  /** The installation's mark: 24 bits, not zero. */
  readonly mark: number;
  /** Whether fragments are dropped on entry: see docs/pipeline.md, classify. */
  readonly dropFragments: boolean;
  /** Whether the datapath drops by itself what a zone has no room for: see docs/pipeline.md, egressRoom. */
  readonly dropsBeyondRoom: boolean;
}

/** Port numbers on a VPC's bridge. */
export interface VpcPorts {
  readonly uplink: number | undefined;
  /** By id of the network interface; only those that are bound. */
  readonly interfaces: ReadonlyMap<string, InterfacePort>;
  /** Ids of those members of peers' groups that are bound on their own VPCs' bridges; none unless told. */
  readonly peerInterfaces?: ReadonlySet<string>;
}

/** Where an interface is plugged in. */
export interface InterfacePort {
  readonly port: number;
  readonly zones: InterfaceZones;
}

/**
 * The conntrack zones of an interface, each 1 to 65535 and of no other interface on the host: one for
 * the connections that it opens, one for those that others open to it. So no caller can use up what
 * the interface needs to call others.
 */
export interface InterfaceZones {
  readonly caller: number;
  readonly called: number;
}

/** An interface that is plugged in. */
export interface BoundInterface extends InterfaceIntent, InterfacePort {
  /** Number of its subnet's route table. */
  readonly routeTable: number;
}

/** An admitted peering as one of its VPCs sees it. */
export interface OwnPeering {
  readonly number: number;
  readonly own: PeeringSide;
  readonly peer: PeeringSide;
}

/** Everything that the render files of a VPC's bridge share. */
export interface VpcContext {
  readonly vpc: VpcIntent;
  readonly router: string;
  readonly uplink: number | undefined;
  readonly interfaces: readonly BoundInterface[];
  /** The groups that rules name, with those members that are bound; without any it is not here. */
  readonly peerGroups: readonly PeerGroupIntent[];
  readonly peerings: readonly OwnPeering[];
  readonly options: RenderOptions;
}

export function vpcContext(
  vpc: VpcIntent,
  peerings: readonly PeeringIntent[],
  ports: VpcPorts,
  options: RenderOptions,
): VpcContext {
  const tables = new Map(vpc.subnets.map((subnet) => [subnet.id, subnet.routeTable]));
  const interfaces = vpc.interfaces.flatMap((eni) => {
    const plugged = ports.interfaces.get(eni.id);
    const routeTable = tables.get(eni.subnetId);
    if (plugged === undefined || routeTable === undefined) return [];
    return [{ ...eni, ...plugged, routeTable }];
  });
  const own = peerings.flatMap((peering) => ownPeering(vpc.id, peering));
  const router = routerMac(vpc.number);
  return {
    vpc,
    router,
    uplink: ports.uplink,
    interfaces,
    peerGroups: boundGroups(vpc, ports),
    peerings: own,
    options,
  };
}

/** Nobody sends as an interface that is plugged in nowhere, nor is it reached: it is worth no flow. */
function boundGroups({ peerGroups }: VpcIntent, ports: VpcPorts): PeerGroupIntent[] {
  return peerGroups.flatMap((group) => {
    const bound = group.peering === LOCAL ? ports.interfaces : ports.peerInterfaces;
    const members = group.members.filter(({ id }) => bound?.has(id));
    return members.length === 0 ? [] : [{ ...group, members }];
  });
}

function ownPeering(vpcId: string, peering: PeeringIntent): OwnPeering[] {
  const { number, requester, accepter, admitted } = peering;
  if (!admitted) return [];
  if (requester.vpcId === vpcId) return [{ number, own: requester, peer: accepter }];
  if (accepter.vpcId === vpcId) return [{ number, own: accepter, peer: requester }];
  return [];
}

/** What a flow is rendered for: its cookie's category and object number. */
export interface Subject {
  readonly category: CookieCategory;
  readonly object: number;
}

export type SubjectFlowSpec = Omit<FlowSpec, "cookie">;

/** A flow of a VPC's bridge, checked against its table. */
export function vpcFlow(
  context: VpcContext,
  table: keyof typeof VPC_TABLES,
  subject: Subject,
  spec: SubjectFlowSpec,
): Flow {
  const cookie = encodeCookie({ mark: context.options.mark, layout: LAYOUT, ...subject });
  return tableFlow(VPC_TABLES, VPC_TABLES[table], { ...spec, cookie });
}

export function ofVpc(context: VpcContext): Subject {
  return { category: "vpc", object: context.vpc.number };
}

export function ofInterface(eni: InterfaceIntent): Subject {
  return { category: "interface", object: eni.number };
}

export function ofPolicy(object: number): Subject {
  return { category: "policy", object };
}

export function ofPeering(peering: OwnPeering): Subject {
  return { category: "peering", object: peering.number };
}
