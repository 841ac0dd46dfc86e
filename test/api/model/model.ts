import { networkHandlers } from "./model-networks.js";
import { endPending, hide, move, peeringHandlers, sees } from "./model-peerings.js";
import { routeHandlers } from "./model-routes.js";
import { type Handlers, handle, type Operation, type Outcome, type Tenant } from "./operations.js";
import { HOUR_MS, type ModelPeering, Refusal, type State } from "./state.js";

const OK: Outcome = { code: "ok" };

const handlers: Handlers<State, Outcome> = {
  ...networkHandlers,
  ...routeHandlers,
  ...peeringHandlers,

  advance: (state, { hours }) => {
    state.now += hours * HOUR_MS;
    return OK;
  },

  sweep: (state) => {
    const pending = () => state.peerings.filter((p) => p.state === "pending-acceptance");
    for (const peering of pending().filter(({ doomed }) => doomed)) {
      endPending(state, peering, "fail", "failed", null);
    }
    for (const peering of pending().filter(({ expiresAt }) => expiresAt <= state.now)) {
      endPending(state, peering, "expire", "expired", null);
    }
    const isForgotten = ({ requester, accepter }: ModelPeering) =>
      [requester, accepter].every((side) => side.hiddenAt !== null && side.hiddenAt <= state.now);
    state.peerings = state.peerings.filter((peering) => !isForgotten(peering));
    return OK;
  },

  confirm: (state) => {
    const inState = (wanted: string) => state.peerings.filter((p) => p.state === wanted);
    for (const peering of inState("provisioning")) move(state, peering, "activate", "active");
    for (const peering of inState("deleting")) {
      move(state, peering, "finish-delete", "deleted");
      hide(state, peering);
    }
    return OK;
  },
};

/** The state after an operation and what is answered; `state` itself stays as it is. */
export function step(state: State, operation: Operation): { state: State; outcome: Outcome } {
  const next = structuredClone(state);
  try {
    return { outcome: handle(handlers, next, operation), state: next };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { outcome: { code: error.code }, state: error.keeps ? next : state };
  }
}

/** What a tenant sees of VPCs, route tables and peerings; lists in the order of creation. */
export interface View {
  readonly vpcs: ReadonlyArray<{ id: string; blocks: string[] }>;
  readonly tables: ReadonlyArray<{
    id: string;
    vpc: string;
    main: boolean;
    local: string[];
    /** "10.1.0.0/16 to pcx-1, by user, active" */
    routes: string[];
    /** "10.1.0.0/16 to pcx-1, contested by pcx-2" */
    withheld: string[];
    associations: string[];
  }>;
  readonly peerings: ReadonlyArray<{
    id: string;
    state: string;
    requester: string[];
    accepter: string[];
  }>;
}

export function viewOf(state: State, tenant: Tenant): View {
  const vpcs = state.vpcs.filter((vpc) => vpc.tenant === tenant);
  const blocks = new Map(vpcs.map((vpc) => [vpc.id, vpc.blocks]));
  const active = new Set(state.peerings.filter((p) => p.state === "active").map(({ id }) => id));
  return {
    vpcs: vpcs.map((vpc) => ({ id: vpc.id, blocks: [...vpc.blocks].sort() })),
    tables: state.tables
      .filter(({ vpc }) => blocks.has(vpc))
      .map(({ id, vpc, main, routes, withheld }) => ({
        id,
        vpc,
        main,
        local: [...(blocks.get(vpc) ?? [])].sort(),
        routes: routes.map((route) => describeRoute(route, active.has(route.peering))).sort(),
        withheld: withheld.map(describeWithheld).sort(),
        associations: state.subnets.filter(({ table }) => table === id).map((s) => s.id),
      })),
    peerings: state.peerings
      .filter((peering) => sees(state, tenant, peering))
      .map(({ id, state: now, requester, accepter }) => ({
        id,
        state: now,
        requester: [...requester.blocks].sort(),
        accepter: [...accepter.blocks].sort(),
      })),
  };
}

export function describeRoute(
  route: { destination: string; peering: string; origin: string },
  active: boolean,
): string {
  const state = active ? "active" : "blackhole";
  return `${route.destination} to ${route.peering}, by ${route.origin}, ${state}`;
}

export function describeWithheld(route: {
  destination: string;
  peering: string;
  contestedBy: string | null;
}): string {
  return `${route.destination} to ${route.peering}, contested by ${route.contestedBy}`;
}
