import { isInside } from "./blocks.js";
import { requireVisible } from "./model-peerings.js";
import type { Handlers, Outcome, Tenant } from "./operations.js";
import {
  isOpen,
  type ModelTable,
  newLabel,
  QUOTAS,
  Refusal,
  record,
  refuseIf,
  requireOwn,
  type State,
  touches,
} from "./state.js";

type RouteKind =
  | "create-table"
  | "delete-table"
  | "associate"
  | "create-route"
  | "replace-route"
  | "delete-route";

const OK: Outcome = { code: "ok" };

/** What route tables do. */
export const routeHandlers: Pick<Handlers<State, Outcome>, RouteKind> = {
  "create-table": (state, { as, vpc: id }) => {
    requireOwn(state, as, id);
    const tables = state.tables.filter(({ vpc }) => vpc === id);
    refuseIf(tables.length >= QUOTAS.routeTablesPerVpc, "RouteTableLimitExceeded");
    const table = { id: newLabel(state, "rtb"), vpc: id, main: false, routes: [], withheld: [] };
    state.tables.push(table);
    state.known.tables.push({ id: table.id, tenant: as, vpc: id });
    record(state, as, "route-table", table.id, "create");
    return OK;
  },

  "delete-table": (state, { as, table: id }) => {
    const { main } = requireTable(state, as, id);
    const inUse = main || state.subnets.some(({ table }) => table === id);
    refuseIf(inUse, "DependencyViolation");
    state.tables = state.tables.filter((table) => table.id !== id);
    record(state, as, "route-table", id, "delete");
    return OK;
  },

  associate: (state, { as, table: id, subnet: subnetId }) => {
    const table = requireTable(state, as, id);
    const subnet = state.subnets.find((candidate) => candidate.id === subnetId);
    const vpc = state.vpcs.find((candidate) => candidate.id === subnet?.vpc);
    if (subnet === undefined || vpc?.tenant !== as) throw new Refusal("InvalidSubnetID.NotFound");
    refuseIf(subnet.vpc !== table.vpc, "InvalidParameterValue");
    subnet.table = table.main ? null : id;
    record(state, as, "route-table", id, "update");
    return OK;
  },

  "create-route": (state, { as, table: id, destination, peering: peeringId }) => {
    const table = requireTable(state, as, id);
    const local = localBlocks(state, table);
    const taken = [...local, ...table.routes.map((route) => route.destination)];
    refuseIf(taken.includes(destination), "RouteAlreadyExists");
    refuseIf(
      local.some((block) => isInside(destination, block)),
      "InvalidParameterValue",
    );
    requireTarget(state, as, table, peeringId);
    refuseIf(table.routes.length >= QUOTAS.routesPerTable, "RouteLimitExceeded");
    table.routes.push({ destination, peering: peeringId, origin: "user" });
    dropWithheld(table, destination, peeringId);
    record(state, as, "route-table", id, "update");
    return OK;
  },

  "replace-route": (state, { as, table: id, destination, peering: peeringId }) => {
    const table = requireTable(state, as, id);
    refuseIf(localBlocks(state, table).includes(destination), "InvalidParameterValue");
    const route = table.routes.find((candidate) => candidate.destination === destination);
    if (route === undefined) throw new Refusal("NotFound");
    refuseIf(route.origin !== "user", "InvalidParameterValue");
    if (route.peering === peeringId) return OK;
    requireTarget(state, as, table, peeringId);
    table.routes = table.routes.filter((other) => other !== route);
    table.routes.push({ destination, peering: peeringId, origin: "user" });
    dropWithheld(table, destination, peeringId);
    record(state, as, "route-table", id, "update");
    return OK;
  },

  "delete-route": (state, { as, table: id, destination }) => {
    const table = requireTable(state, as, id);
    refuseIf(localBlocks(state, table).includes(destination), "InvalidParameterValue");
    const left = table.routes.filter((route) => route.destination !== destination);
    refuseIf(left.length === table.routes.length, "NotFound");
    table.routes = left;
    record(state, as, "route-table", id, "update");
    return OK;
  },
};

function requireTarget(state: State, as: Tenant, table: ModelTable, peeringId: string): void {
  const peering = requireVisible(state, as, peeringId);
  refuseIf(!touches(peering, table.vpc), "InvalidVpcPeeringConnectionID.NotFound");
  refuseIf(!isOpen(peering), "InvalidStateTransition");
}

/** What is added by hand is withheld no more. */
function dropWithheld(table: ModelTable, destination: string, peeringId: string): void {
  table.withheld = table.withheld.filter(
    (route) => route.destination !== destination || route.peering !== peeringId,
  );
}

function requireTable(state: State, as: Tenant, id: string): ModelTable {
  const table = state.tables.find((candidate) => candidate.id === id);
  const owner = state.vpcs.find(({ id: vpcId }) => vpcId === table?.vpc)?.tenant;
  if (table === undefined || owner !== as) throw new Refusal("InvalidRouteTableID.NotFound");
  return table;
}

function localBlocks(state: State, table: ModelTable): readonly string[] {
  return state.vpcs.find(({ id }) => id === table.vpc)?.blocks ?? [];
}
