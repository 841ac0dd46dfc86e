import type { PeeringIntent, VpcIntent } from "../domain/intent.js";
import { decodeCookie } from "../openflow/cookie.js";
import type { Flow } from "../openflow/flow.js";
import { arpFlows } from "./arp.js";
import { classifyFlows } from "./classify.js";
import { type RenderOptions, type VpcContext, type VpcPorts, vpcContext } from "./context.js";
import { deliverFlows } from "./deliver.js";
import { admissionFlows } from "./exchange.js";
import { gatewayFlows } from "./gateway.js";
import { peeringFlows } from "./peering.js";
import { policyFlows } from "./policy.js";
import { returnRouteFlows } from "./return-route.js";
import { routeFlows } from "./routing.js";
import { spoofGuardFlows } from "./spoof-guard.js";
import { distinctFlows } from "./table-flow.js";
import { tableMissFlows } from "./table-miss.js";

export type { RenderOptions, VpcPorts } from "./context.js";
export { exchangeBaseFlows } from "./exchange.js";

const FEATURES: readonly ((context: VpcContext) => Flow[])[] = [
  tableMissFlows,
  classifyFlows,
  spoofGuardFlows,
  arpFlows,
  gatewayFlows,
  routeFlows,
  policyFlows,
  peeringFlows,
  returnRouteFlows,
  deliverFlows,
];

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
  const context = vpcContext(vpc, peerings, ports, options);
  return distinctFlows(FEATURES.flatMap((feature) => feature(context)));
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

/** Those of `flows` that were rendered for one peering, by cookie. */
export function peeringFlowsOf(flows: readonly Flow[], peeringNumber: number): Flow[] {
  return flows.filter((flow) => {
    const { category, object } = decodeCookie(flow.cookie);
    return category === "peering" && object === peeringNumber;
  });
}
