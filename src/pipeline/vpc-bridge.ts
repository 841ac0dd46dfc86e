import { formatCidr } from "../domain/cidr.js";
import type { PeeringSide, RouteIntent, RouteTableIntent } from "../domain/intent.js";
import { ownIps } from "../domain/interface-addresses.js";
import type { Flow } from "../openflow/flow.js";
import { type Part, partOf } from "../openflow/parts.js";
import { gatewayArpFlows, interfaceArpFlows, pairArpFlows } from "./arp.js";
import { classifyFlows, classifyInterfaceFlow } from "./classify.js";
import type { BoundInterface, OwnPeering, VpcContext } from "./context.js";
import { localContinuityFlow, peeringContinuityFlow } from "./continuity.js";
import { deliverFlows } from "./deliver.js";
import { dropFlows } from "./drops.js";
import { gatewayFlows } from "./gateway.js";
import { localReadmissionFlow, readmissionFlows } from "./ingress-admission.js";
import { type Member, memberFlow, membersOf } from "./members.js";
import { membershipFlow } from "./memberships.js";
import { localFlow, peeringFlows } from "./peering.js";
import { policyFlows, receiverFlows, sharersFlow } from "./policy.js";
import { returnRouteFlows } from "./return-route.js";
import { localRouteFlows, tableRouteFlow, tablesInUse } from "./routing.js";
import { ruleFlows } from "./rules.js";
import { type SharedBlock, sharedBlocks } from "./shared-blocks.js";
import { senderFlows, spoofGuardFlows } from "./spoof-guard.js";
import { tableMissFlows } from "./table-miss.js";

/**
 * The parts that were rendered for one VPC the last time. With a thousand interfaces, rendering
 * them all takes a hundred times as long as finding that one has changed.
 */
export class PartCache {
  #previous = new Map<string, Part>();
  #current = new Map<string, Part>();

  /** @param key tells apart all that the flows depend on, for this VPC */
  take(key: string, render: () => Flow[]): Part {
    const part = this.#previous.get(key) ?? partOf(render());
    this.#current.set(key, part);
    return part;
  }

  /** What was not taken since the last turn is forgotten. */
  turn(): void {
    this.#previous = this.#current;
    this.#current = new Map();
  }
}

/** The flows of a VPC's bridge, in parts; those of before come back the same when nothing changed. */
export function vpcBridgeParts(context: VpcContext, cache: PartCache): Part[] {
  const parts = [
    partOf(vpcFlows(context)),
    ...context.peerings.map((peering) =>
      cache.take(peeringKey(context, peering), () => flowsOfPeering(context, peering)),
    ),
    ...tablesInUse(context).flatMap((table) =>
      table.routes.map((route) =>
        cache.take(routeKey(table, route), () => [tableRouteFlow(context, table, route)]),
      ),
    ),
    ...context.interfaces.map((eni) =>
      cache.take(interfaceKey(eni), () => flowsOfInterface(context, eni)),
    ),
    ...sharedBlocks(context).map((shared) =>
      cache.take(sharedKey(shared), () => [
        ...pairArpFlows(context, shared.block),
        sharersFlow(context, shared),
      ]),
    ),
    ...membersOf(context).map((member) =>
      cache.take(memberKey(member), () => [memberFlow(context, member)]),
    ),
  ];
  cache.turn();
  return parts;
}

function vpcFlows(context: VpcContext): Flow[] {
  return [
    ...tableMissFlows(context),
    ...classifyFlows(context),
    ...spoofGuardFlows(context),
    ...gatewayArpFlows(context),
    ...gatewayFlows(context),
    ...localRouteFlows(context),
    ...policyFlows(context),
    localFlow(context),
    ...returnRouteFlows(context),
    localReadmissionFlow(context),
    localContinuityFlow(context),
    ...ruleFlows(context),
  ];
}

/** The flows of a peering on the bridge of one of its sides; what else is there does not matter. */
export function flowsOfPeering(context: VpcContext, peering: OwnPeering): Flow[] {
  return [
    ...peeringFlows(context, peering),
    ...readmissionFlows(context, peering),
    peeringContinuityFlow(context, peering),
  ];
}

function flowsOfInterface(context: VpcContext, eni: BoundInterface): Flow[] {
  return [
    classifyInterfaceFlow(context, eni),
    ...senderFlows(context, eni),
    ...interfaceArpFlows(context, eni),
    ...receiverFlows(context, eni),
    ...deliverFlows(context, eni),
    membershipFlow(context, eni),
    ...dropFlows(context, eni),
  ];
}

function peeringKey({ uplink }: VpcContext, { number, own, peer }: OwnPeering): string {
  return `peering ${number} ${uplink} ${sideKey(own)} ${sideKey(peer)}`;
}

function routeKey({ number }: RouteTableIntent, { destination, peering }: RouteIntent): string {
  return `route ${number} ${formatCidr(destination)} ${peering}`;
}

function sideKey({ vpcNumber, blocks }: PeeringSide): string {
  return `${vpcNumber} ${blocks.map(formatCidr).join(",")}`;
}

function interfaceKey(eni: BoundInterface): string {
  const { number, mac, port, zones, routeTable, groups } = eni;
  const place = `${port} ${zones.caller} ${zones.called} ${routeTable}`;
  const own = ownIps(eni).map(({ value }) => value);
  const pairs = eni.addressPairs.map((pair) => `${formatCidr(pair.block)}@${pair.mac}`);
  return `interface ${number} ${own.join(",")} ${mac} ${pairs.join(",")} ${place} ${groups.join(",")}`;
}

function sharedKey({ block, sharers }: SharedBlock): string {
  const turns = sharers.map(({ number, zones }) => `${number} ${zones.caller} ${zones.called}`);
  return `shared ${formatCidr(block)} ${turns.join(",")}`;
}

function memberKey({ role, peering, block, groups }: Member): string {
  return `member ${role} ${peering} ${formatCidr(block)} ${groups.join(",")}`;
}
