import type { PeeringIntent, VpcIntent } from "../domain/intent.js";
import type { Flow } from "../openflow/flow.js";
import { type RenderOptions, type VpcPorts, vpcContext } from "./context.js";
import { admissionFlows } from "./exchange.js";
import { distinctFlows } from "./table-flow.js";
import { flowsOfPeering, PartCache, vpcBridgeParts } from "./vpc-bridge.js";

export type { InterfacePort, InterfaceZones, RenderOptions, VpcPorts } from "./context.js";
export { exchangeBaseFlows } from "./exchange.js";

/**
 * Every flow of a VPC's bridge. Peerings that are not admitted, or of other VPCs, add nothing.
 * @throws PipelineError when flows contradict their table or each other
 */
export function vpcBridgeFlows(
  vpc: VpcIntent,
  peerings: readonly PeeringIntent[],
  ports: VpcPorts,
  options: RenderOptions,
): Flow[] {
  const parts = vpcBridgeParts(vpcContext(vpc, peerings, ports, options), new PartCache());
  return distinctFlows(parts.flatMap(({ flows }) => flows.map(({ flow }) => flow)));
}

/** The flows of one peering on the bridge of a VPC, whatever else is in the VPC. */
export function peeringSideFlows(
  vpc: VpcIntent,
  peering: PeeringIntent,
  ports: VpcPorts,
  options: RenderOptions,
): Flow[] {
  const context = vpcContext(vpc, [peering], ports, options);
  return distinctFlows(context.peerings.flatMap((own) => flowsOfPeering(context, own)));
}

/**
 * The flows of these peerings on the exchange, without `exchangeBaseFlows`. Peerings that are not
 * admitted, or whose uplinks are not both known, add nothing.
 * @param uplinks port numbers on the exchange, by VPC id
 * @throws PipelineError when flows contradict their table or each other
 */
export function exchangeFlows(
  peerings: readonly PeeringIntent[],
  uplinks: ReadonlyMap<string, number>,
  options: RenderOptions,
): Flow[] {
  return distinctFlows(peerings.flatMap((peering) => admissionFlows(peering, uplinks, options)));
}
