import { anyOverlap } from "./blocks.js";
import { placeRoutes, refuseContested } from "./model-contests.js";
import type { Addressee, Handlers, Operation, Outcome, Tenant } from "./operations.js";
import {
  EXPIRY_MS,
  HOUR_MS,
  isOpen,
  liveOf,
  type ModelPeering,
  type ModelSide,
  type ModelVpc,
  newLabel,
  QUOTAS,
  Refusal,
  refuseIf,
  requireOwn,
  type State,
} from "./state.js";

type PeeringKind = "request" | "accept" | "reject" | "delete-peering";

/** What the calls on peerings do. */
export const peeringHandlers: Pick<Handlers<State, Outcome>, PeeringKind> = {
  request: (state, operation) => {
    const { as, from, to, addressee = as } = operation;
    refuseIf(from === to, "InvalidParameterValue");
    const requester = requireOwn(state, as, from);
    const same = openUntilNow(
      state,
      ({ requester, accepter }) =>
        requester.vpc === from && accepter.vpc === to && accepter.tenant === addressee,
    );
    refuseIf(same?.state === "deleting", "VpcPeeringConnectionDeleting");
    if (same !== undefined) return { code: "ok", state: same.state, created: false };
    const accepter = state.vpcs.find(({ id, tenant }) => id === to && tenant === addressee);
    const problem = problemOf(requester, accepter);
    if (problem !== undefined && addressee === as) throw new Refusal(problem);
    if (problem === undefined) refuseOpposite(state, from, to);
    const pending = state.peerings.filter(
      (peering) => peering.state === "pending-acceptance" && peering.requester.tenant === as,
    );
    const exceeded = pending.length >= QUOTAS.pendingRequestsPerTenant;
    refuseIf(exceeded, "PendingVpcPeeringConnectionLimitExceeded");
    if (addressee !== as) refuseFlood(state, as, addressee);
    const known = problem === undefined ? accepter : undefined;
    insert(state, operation, requester.blocks, known?.blocks);
    return { code: "ok", state: "pending-acceptance", created: true };
  },

  accept: (state, { as, peering: id, autoRoutes = true }) => {
    const peering = requireVisible(state, as, id);
    refuseIf(peering.accepter.tenant !== as, "Forbidden");
    if (["provisioning", "active"].includes(peering.state)) {
      return { code: "ok", state: peering.state };
    }
    refuseIf(peering.state !== "pending-acceptance", "InvalidStateTransition");
    if (peering.expiresAt <= state.now) {
      endPending(state, peering, "expire", "expired", null);
      throw new Refusal("InvalidStateTransition", true);
    }
    if (anyOverlap(peering.requester.blocks, peering.accepter.blocks)) {
      endPending(state, peering, "fail", "failed", null);
      throw new Refusal("OverlappingCidr", true);
    }
    for (const { vpc } of [peering.requester, peering.accepter]) {
      const exceeded = liveOf(state, vpc).length >= QUOTAS.livePeeringsPerVpc;
      refuseIf(exceeded, "ActiveVpcPeeringConnectionPerVpcLimitExceeded");
    }
    peering.accepter.autoRoutes = autoRoutes;
    const { requester, accepter } = peering;
    if (autoRoutes) refuseContested(state, peering, accepter, requester.blocks);
    move(state, peering, "accept", "provisioning");
    if (autoRoutes) placeRoutes(state, peering, accepter, requester.blocks, false);
    if (requester.autoRoutes) placeRoutes(state, peering, requester, accepter.blocks, false);
    return { code: "ok", state: "provisioning" };
  },

  reject: (state, { as, peering: id }) => {
    const peering = requireVisible(state, as, id);
    refuseIf(peering.accepter.tenant !== as, "Forbidden");
    refuseIf(peering.state !== "pending-acceptance", "InvalidStateTransition");
    endPending(state, peering, "reject", "rejected", as);
    return { code: "ok", state: "rejected" };
  },

  "delete-peering": (state, { as, peering: id }) => {
    const peering = requireVisible(state, as, id);
    if (peering.state === "pending-acceptance" && peering.requester.tenant === as) {
      endPending(state, peering, "delete", "deleted", as);
      return { code: "ok", state: "deleted" };
    }
    const deletable = ["provisioning", "active"].includes(peering.state);
    refuseIf(!deletable, "InvalidStateTransition");
    move(state, peering, "delete", "deleting");
    peering.endedBy = as;
    for (const table of state.tables) {
      table.routes = table.routes.filter(
        (route) => route.peering !== id || route.origin !== "peering",
      );
      table.withheld = table.withheld.filter((route) => route.peering !== id);
    }
    return { code: "ok", state: "deleting" };
  },
};

function problemOf(requester: ModelVpc, accepter: ModelVpc | undefined): string | undefined {
  if (accepter === undefined) return "InvalidVpcID.NotFound";
  return anyOverlap(requester.blocks, accepter.blocks) ? "OverlappingCidr" : undefined;
}

function refuseOpposite(state: State, from: string, to: string): void {
  const opposite = openUntilNow(
    state,
    ({ doomed, requester, accepter }) => !doomed && requester.vpc === to && accepter.vpc === from,
  );
  refuseIf(opposite?.state === "deleting", "VpcPeeringConnectionDeleting");
  refuseIf(opposite !== undefined, "VpcPeeringConnectionAlreadyExists");
}

/** What has become of those sent within the hour, and whether anybody got them, does not count. */
function refuseFlood({ peerings, now }: State, from: Tenant, to: Addressee): void {
  const sent = peerings.filter(
    ({ requester, accepter, sentAt }) =>
      requester.tenant === from && accepter.tenant === to && sentAt > now - HOUR_MS,
  );
  const exceeded = sent.length >= QUOTAS.requestsPerHourToTenant;
  refuseIf(exceeded, "PendingVpcPeeringConnectionLimitExceeded");
}

/** The open peering that is meant; a request whose time is up ends now, without a sweep. */
function openUntilNow(
  state: State,
  isMeant: (peering: ModelPeering) => boolean,
): ModelPeering | undefined {
  const found = state.peerings.find((peering) => isOpen(peering) && isMeant(peering));
  if (found === undefined || !hasExpired(state, found)) return found;
  endPending(state, found, "expire", "expired", null);
  return undefined;
}

function hasExpired({ now }: State, { state, doomed, expiresAt }: ModelPeering): boolean {
  return state === "pending-acceptance" && !doomed && expiresAt <= now;
}

/** Without blocks of the accepter the request is doomed. */
function insert(
  state: State,
  { as, from, to, addressee = as, autoRoutes = true }: Operation<"request">,
  requesterBlocks: string[],
  accepterBlocks: string[] | undefined,
): void {
  const id = newLabel(state, "pcx");
  const requester = { tenant: as, vpc: from, blocks: requesterBlocks, autoRoutes, hiddenAt: null };
  const accepter = { tenant: addressee, vpc: to, blocks: accepterBlocks ?? [], autoRoutes: true };
  const peering: ModelPeering = {
    id,
    state: "",
    doomed: accepterBlocks === undefined,
    sentAt: state.now,
    expiresAt: state.now + EXPIRY_MS,
    requester,
    accepter: { ...accepter, hiddenAt: null },
    endedBy: null,
  };
  state.peerings.push(peering);
  const ends = {
    requester: { tenant: as, vpc: from },
    accepter: { tenant: addressee, vpc: to },
  };
  state.known.peerings.push({ id, state: "", ...ends });
  move(state, peering, "request", "pending-acceptance");
}

export function sees(state: State, as: Tenant, { requester, accepter, doomed }: ModelPeering) {
  const shown = ({ tenant, hiddenAt }: ModelSide) =>
    tenant === as && (hiddenAt === null || hiddenAt > state.now);
  return shown(requester) || (!doomed && shown(accepter));
}

export function requireVisible(state: State, as: Tenant, id: string): ModelPeering {
  const peering = state.peerings.find((candidate) => candidate.id === id);
  if (peering !== undefined && sees(state, as, peering)) return peering;
  throw new Refusal("InvalidVpcPeeringConnectionID.NotFound");
}

export function move(state: State, peering: ModelPeering, action: string, after: string): void {
  const { id, requester, accepter, doomed } = peering;
  const both = new Set([requester.tenant, ...(doomed ? [] : [accepter.tenant])]);
  const tenants = [...both].filter((tenant) => tenant === "north" || tenant === "south");
  const before = peering.state === "" ? null : peering.state;
  state.events.push({ type: "vpc-peering", id, action, before, after, tenants });
  peering.state = after;
}

export function endPending(
  state: State,
  peering: ModelPeering,
  action: string,
  after: string,
  by: Tenant | null,
): void {
  move(state, peering, action, after);
  peering.endedBy = by;
  hide(state, peering);
  // Withdrawn: gone from the list of whoever got it.
  const { accepter } = peering;
  if (after === "deleted" && accepter.tenant !== by) accepter.hiddenAt = state.now;
}

/** How long each side still sees what has ended, in hours. */
const SHOWN_HOURS = {
  failed: { requester: 2, accepter: 2 },
  rejected: { requester: 48, accepter: 2 },
  expired: { requester: 48, accepter: 48 },
} as const;

export function hide(state: State, { state: ended, requester, accepter, endedBy }: ModelPeering) {
  const deleted = {
    requester: endedBy === requester.tenant ? 2 : 48,
    accepter: endedBy === accepter.tenant ? 2 : 48,
  };
  const shown = ended in SHOWN_HOURS ? SHOWN_HOURS[ended as keyof typeof SHOWN_HOURS] : deleted;
  requester.hiddenAt = state.now + shown.requester * HOUR_MS;
  accepter.hiddenAt = state.now + shown.accepter * HOUR_MS;
}
