import type { IntentSlice, PeeringIntent, PeeringSide, VpcIntent } from "../../domain/intent.js";
import type { Flow } from "../../openflow/flow.js";
import {
  exchangeBaseFlows,
  exchangeFlows,
  peeringSideFlows,
  type RenderOptions,
  type VpcPorts,
} from "../../pipeline/render.js";

/** The port numbers that rendering needs: of a real switch, or symbolic ones. */
export interface PortView {
  ofVpc(vpc: VpcIntent): VpcPorts;
  /** Port on the exchange that leads to the VPC's bridge; undefined while there is none. */
  onExchange(vpcId: string): number | undefined;
}

/** Peerings of each VPC in the slice, the ones that are being deleted included. */
export function peeringsByVpc(slice: IntentSlice): Map<string, PeeringIntent[]> {
  const found = new Map<string, PeeringIntent[]>();
  for (const id of slice.vpcs.keys()) found.set(id, []);
  for (const peering of slice.peerings) {
    for (const { vpcId } of sidesOf(peering)) found.get(vpcId)?.push(peering);
  }
  return found;
}

export function sidesOf(peering: PeeringIntent): readonly [PeeringSide, PeeringSide] {
  return [peering.requester, peering.accepter];
}

/** The flows of the exchange that the slice tells of: its base, and the peerings in scope. */
export function desiredExchangeFlows(
  slice: IntentSlice,
  ports: PortView,
  options: RenderOptions,
): Flow[] {
  const known = (vpcId: string) => (isGone(slice, vpcId) ? undefined : ports.onExchange(vpcId));
  const peerings = exchangeFlows(slice.peerings, uplinksOf(slice.peerings, known), options);
  return [...exchangeBaseFlows(options), ...peerings];
}

/** The flows of one peering on the exchange. */
export function desiredAdmissionFlows(
  peering: PeeringIntent,
  ports: PortView,
  options: RenderOptions,
): Flow[] {
  const uplinks = uplinksOf([peering], (vpcId) => ports.onExchange(vpcId));
  return exchangeFlows([peering], uplinks, options);
}

function uplinksOf(
  peerings: readonly PeeringIntent[],
  portOf: (vpcId: string) => number | undefined,
): Map<string, number> {
  const uplinks = new Map<string, number>();
  for (const { vpcId } of peerings.flatMap(sidesOf)) {
    const port = uplinks.has(vpcId) ? undefined : portOf(vpcId);
    if (port !== undefined) uplinks.set(vpcId, port);
  }
  return uplinks;
}

/** Whether the slice says that a VPC does not exist (any more). */
export function isGone(slice: IntentSlice, vpcId: string): boolean {
  const inScope = slice.scope === "all" || slice.scope.has(vpcId);
  return inScope && !slice.vpcs.has(vpcId);
}

/** The flows of one peering on the bridge of one of its sides. */
export function desiredSideFlows(
  peering: PeeringIntent,
  side: PeeringSide,
  ports: PortView,
  options: RenderOptions,
): Flow[] {
  const vpc = bareVpc(side);
  const { uplink } = ports.ofVpc(vpc);
  return peeringSideFlows(vpc, peering, { uplink, interfaces: new Map() }, options);
}

/** What lets a peering's packets pass does not depend on what else is in the VPC. */
function bareVpc({ vpcId: id, vpcNumber: number, blocks }: PeeringSide): VpcIntent {
  const nothing = {
    subnets: [],
    interfaces: [],
    securityGroups: [],
    peerGroups: [],
    routeTables: [],
  };
  return { id, number, generation: 0, blocks, ...nothing };
}
