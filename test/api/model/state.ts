import { DEFAULT_QUOTAS, type Quotas } from "../../../src/domain/quotas.js";
import type { KnownPeering, Universe } from "./draws.js";
import type { Addressee, Tenant } from "./operations.js";

/** So small that they are reached often; of what the model does not make, the defaults. */
export const QUOTAS: Quotas = {
  ...DEFAULT_QUOTAS,
  livePeeringsPerVpc: 2,
  pendingRequestsPerTenant: 3,
  requestsPerHourToTenant: 8,
  vpcsPerTenant: 4,
  blocksPerVpc: 3,
  routeTablesPerVpc: 3,
  routesPerTable: 4,
  securityGroupsPerVpc: 3,
  rulesPerDirection: 4,
  securityGroupsPerInterface: 2,
};

export const HOUR_MS = 3_600_000;
export const EXPIRY_MS = 7 * 24 * HOUR_MS;

export interface ModelVpc {
  readonly id: string;
  readonly tenant: Tenant;
  /** The first is the primary one. */
  blocks: string[];
}

export interface ModelRoute {
  readonly destination: string;
  readonly peering: string;
  readonly origin: "user" | "peering";
}

/** An automatic route that did not come. */
export interface ModelWithheld {
  readonly destination: string;
  readonly peering: string;
  readonly contestedBy: string | null;
}

export interface ModelTable {
  readonly id: string;
  readonly vpc: string;
  readonly main: boolean;
  routes: ModelRoute[];
  withheld: ModelWithheld[];
}

export interface ModelSubnet {
  readonly id: string;
  readonly vpc: string;
  readonly block: string;
  table: string | null;
}

export interface ModelSide {
  readonly tenant: Addressee;
  readonly vpc: string;
  blocks: string[];
  autoRoutes: boolean;
  hiddenAt: number | null;
}

export interface ModelPeering {
  readonly id: string;
  state: string;
  readonly doomed: boolean;
  readonly sentAt: number;
  readonly expiresAt: number;
  readonly requester: ModelSide & { readonly tenant: Tenant };
  readonly accepter: ModelSide;
  endedBy: Tenant | null;
}

export interface ModelEvent {
  readonly type: string;
  readonly id: string;
  readonly action: string;
  readonly before: string | null;
  readonly after: string | null;
  /** Who sees it. */
  readonly tenants: readonly Tenant[];
}

/** What should be stored: resources by age, the oldest first. Times in milliseconds. */
export interface State {
  now: number;
  created: number;
  vpcs: ModelVpc[];
  tables: ModelTable[];
  subnets: ModelSubnet[];
  peerings: ModelPeering[];
  events: ModelEvent[];
  /** All that ever was. */
  known: {
    vpcs: Array<{ id: string; tenant: Tenant }>;
    tables: Array<{ id: string; tenant: Tenant; vpc: string }>;
    subnets: Array<{ id: string; tenant: Tenant; vpc: string }>;
    peerings: KnownPeering[];
  };
}

export function initialState(now: number): State {
  const known = { vpcs: [], tables: [], subnets: [], peerings: [] };
  return { now, created: 0, vpcs: [], tables: [], subnets: [], peerings: [], events: [], known };
}

/** An operation is refused with this code; what it did is undone, unless it `keeps` that. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly keeps = false,
  ) {
    super(code);
  }
}

export function refuseIf(condition: boolean, code: string): void {
  if (condition) throw new Refusal(code);
}

/** The same id for the same sequence of creations, whatever the database calls it. */
export function newLabel(state: State, kind: "vpc" | "rtb" | "subnet" | "pcx"): string {
  state.created += 1;
  return `${kind}-${state.created}`;
}

export function requireOwn(state: State, as: Tenant, id: string): ModelVpc {
  const vpc = state.vpcs.find((candidate) => candidate.id === id && candidate.tenant === as);
  if (vpc === undefined) throw new Refusal("InvalidVpcID.NotFound");
  return vpc;
}

export function mainTable(state: State, vpcId: string): ModelTable {
  const table = state.tables.find(({ vpc, main }) => vpc === vpcId && main);
  if (table === undefined) throw new Error(`the model lost the main table of ${vpcId}`);
  return table;
}

const LIVE = ["provisioning", "active", "deleting"];

export function isLive({ state }: ModelPeering): boolean {
  return LIVE.includes(state);
}

export function isOpen(peering: ModelPeering): boolean {
  return peering.state === "pending-acceptance" || isLive(peering);
}

export function liveOf(state: State, vpcId: string): ModelPeering[] {
  return state.peerings.filter((peering) => isLive(peering) && touches(peering, vpcId));
}

export function touches({ requester, accepter }: ModelPeering, vpcId: string): boolean {
  return requester.vpc === vpcId || accepter.vpc === vpcId;
}

/** The event of a resource that has no states but being there. */
export function record(
  state: State,
  tenant: Tenant,
  type: string,
  id: string,
  action: "create" | "update" | "delete",
): void {
  const before = action === "create" ? null : "available";
  const after = action === "delete" ? null : "available";
  state.events.push({ type, id, action, before, after, tenants: [tenant] });
}

/** What the next operation may be about. */
export function universeOf({ known, vpcs, tables, subnets, peerings }: State): Universe {
  const blocks = new Map(vpcs.map((vpc) => [vpc.id, vpc.blocks]));
  const routes = new Map(tables.map((table) => [table.id, table.routes]));
  const present = new Set(subnets.map(({ id }) => id));
  const states = new Map(peerings.map(({ id, state }) => [id, state]));
  return {
    vpcs: known.vpcs.map((vpc) => {
      return { ...vpc, alive: blocks.has(vpc.id), blocks: blocks.get(vpc.id) ?? [] };
    }),
    tables: known.tables.map((table) => {
      const destinations = (routes.get(table.id) ?? []).map((route) => route.destination);
      return { ...table, alive: routes.has(table.id), destinations };
    }),
    subnets: known.subnets.map((subnet) => ({ ...subnet, alive: present.has(subnet.id) })),
    peerings: known.peerings.map((peering) => {
      return { ...peering, state: states.get(peering.id) ?? "forgotten" };
    }),
  };
}
