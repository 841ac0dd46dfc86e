import type { z } from "zod";
import { formatCidr } from "../../../domain/cidr.js";
import type {
  DataPlaneStatus,
  DataPlaneView,
  PeeringBridgeFlows,
} from "../../../domain/data-plane.js";
import { LIVE_STATES, type PeeringState } from "../../../domain/lifecycle.js";
import type { Principal } from "../../../domain/principal.js";
import { rolesIn, type VpcPeering, type VpcPeeringSide } from "../../../domain/resources.js";
import type { peeringFlowsSchema, vpcPeeringSchema } from "./schema.js";

/** A peering as `caller` may see it; what each side sees differs. */
export function presentPeering(
  peering: VpcPeering,
  caller: Principal,
  view: DataPlaneView,
): z.output<typeof vpcPeeringSchema> {
  const own = ownSide(peering, caller);
  const { requester, accepter, state } = peering;
  const accepterBlocks = seesAccepterBlocks(peering, caller) ? accepter.blocks : [];
  const expires = state === "pending-acceptance" ? peering.expiresAt.toISOString() : null;
  return {
    id: peering.id,
    state,
    statusMessage: peering.statusMessage,
    requester: presentSide(requester, requester.blocks),
    accepter: presentSide(accepter, accepterBlocks),
    name: own.name,
    tags: { ...own.tags },
    expiresAt: expires,
    createdAt: peering.createdAt.toISOString(),
    dataPlane: peeringStatus(peering, view),
  };
}

/** The operator has no side and is shown the requester's. */
function ownSide(peering: VpcPeering, caller: Principal): VpcPeeringSide {
  const roles = caller.tenantId === null ? [] : rolesIn(peering, caller.tenantId);
  const onlyAccepter = roles.includes("accepter") && !roles.includes("requester");
  return onlyAccepter ? peering.accepter : peering.requester;
}

/** A requester learns the accepter's blocks when the peering first becomes active, never before. */
function seesAccepterBlocks(peering: VpcPeering, caller: Principal): boolean {
  const { tenantId } = caller;
  if (tenantId === null || peering.activatedAt !== null) return true;
  return rolesIn(peering, tenantId).includes("accepter");
}

function presentSide(side: VpcPeeringSide, blocks: VpcPeeringSide["blocks"]) {
  const { tenantId, vpcId, allowDnsResolutionFromRemoteVpc } = side;
  const options = { allowDnsResolutionFromRemoteVpc };
  return { tenantId, vpcId, cidrBlocks: blocks.map(formatCidr), options };
}

/**
 * A peering that is not live wants nothing of the switch, and the switch has nothing of it: so it is
 * not programmed, but awaited while it may yet be accepted, and else there is nothing to do. Its
 * VPCs are not asked about: the accepter's may be unknown, and that must not show.
 */
function peeringStatus(peering: VpcPeering, view: DataPlaneView): DataPlaneStatus {
  const { requester, accepter, generation } = peering;
  if (isLive(peering.state)) return view.status([requester.vpcId, accepter.vpcId], generation);
  if (view.backend === "noop") return { state: "noop", generation, observedGeneration: generation };
  if (peering.state === "pending-acceptance") {
    return { state: "pending", message: NOT_ACCEPTED, generation, observedGeneration: 0 };
  }
  const message = `it is ${peering.state}: nothing of it is on the switch`;
  return { state: "noop", message, generation, observedGeneration: generation };
}

const NOT_ACCEPTED = "it is not accepted yet: nothing of it is on the switch";

function isLive(state: PeeringState): boolean {
  return (LIVE_STATES as readonly PeeringState[]).includes(state);
}

/**
 * A tenant sees its own bridges and the exchange; an operator all. Their flows name the blocks of
 * both sides: who may not know these yet sees none.
 */
export function presentPeeringFlows(
  peering: VpcPeering,
  bridges: readonly PeeringBridgeFlows[],
  caller: Principal,
): z.output<typeof peeringFlowsSchema> {
  if (!seesAccepterBlocks(peering, caller)) return { bridges: [] };
  const sides = [peering.requester, peering.accepter];
  const seen = sides.filter(
    (side) => caller.tenantId === null || side.tenantId === caller.tenantId,
  );
  const vpcIds = new Set<string | null>([null, ...seen.map((side) => side.vpcId)]);
  const visible = bridges.filter((entry) => vpcIds.has(entry.vpcId));
  return { bridges: visible.map(({ bridge, flows }) => ({ bridge, flows })) };
}
