import { anyOverlap, isInside, overlap } from "./blocks.js";
import { contestProblems } from "./contest-invariants.js";
import { eventProblems } from "./event-invariants.js";
import { blocksOf, type Snapshot, type StoredPeering, type StoredVpc } from "./snapshot.js";
import { HOUR_MS, QUOTAS } from "./state.js";

/** What must never be stored, in words; none when all is well. */
export function problemsIn(snapshot: Snapshot): string[] {
  const vpcs = new Map(snapshot.vpcs.map((vpc) => [vpc.id, vpc]));
  return [
    ...snapshot.peerings.flatMap((peering) => openProblems(peering, vpcs)),
    ...pairProblems(snapshot),
    ...snapshot.vpcs.flatMap((vpc) => vpcProblems(snapshot, vpc)),
    ...quotaProblems(snapshot),
    ...floodProblems(snapshot),
    ...routeProblems(snapshot, vpcs),
    ...contestProblems(snapshot, vpcs),
    ...eventProblems(snapshot),
  ];
}

const LIVE = ["provisioning", "active", "deleting"];
const isLive = ({ state }: StoredPeering) => LIVE.includes(state);
const isPending = ({ state }: StoredPeering) => state === "pending-acceptance";

/** Open peerings are between VPCs that exist, show their blocks, and when live are disjoint. */
function openProblems(peering: StoredPeering, vpcs: ReadonlyMap<string, StoredVpc>): string[] {
  if (!isLive(peering) && !isPending(peering)) return [];
  const { id, state, doomedAt } = peering;
  const requester = vpcs.get(peering.requesterVpcId);
  const accepter = vpcs.get(peering.accepterVpcId);
  const problems: string[] = [];
  if (requester?.tenantId !== peering.requesterTenantId) {
    problems.push(`${id} is ${state} and its requester VPC is not there`);
  }
  if (!sameBlocks(peering.requesterBlocks, blocksOf(requester))) {
    problems.push(`${id} is ${state} and shows old blocks of its requester`);
  }
  if (doomedAt !== null) {
    return isLive(peering) ? [...problems, `${id} is doomed and ${state}`] : problems;
  }
  if (accepter?.tenantId !== peering.accepterTenantId) {
    problems.push(`${id} is ${state} and its accepter VPC is not there`);
  }
  if (!sameBlocks(peering.accepterBlocks, blocksOf(accepter))) {
    problems.push(`${id} is ${state} and shows old blocks of its accepter`);
  }
  if (isLive(peering) && anyOverlap(blocksOf(requester), blocksOf(accepter))) {
    problems.push(`${id} is ${state} between VPCs that overlap`);
  }
  return problems;
}

function sameBlocks(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join() === [...b].sort().join();
}

function pairProblems({ peerings }: Snapshot): string[] {
  const open = peerings.filter((p) => p.doomedAt === null && (isLive(p) || isPending(p)));
  const pairs = open.map((p) => [p.requesterVpcId, p.accepterVpcId].sort().join(" and "));
  return repeated(pairs).map((pair) => `${pair} have two open peerings`);
}

function repeated(items: readonly string[]): string[] {
  return items.filter((item, at) => items.indexOf(item) !== at);
}

/** One primary block, one main table, subnets in its blocks and apart, their tables its own. */
function vpcProblems({ tables, subnets }: Snapshot, vpc: StoredVpc): string[] {
  const { id, blocks } = vpc;
  const problems: string[] = [];
  const ownTables = tables.filter((table) => table.vpcId === id);
  const own = subnets.filter((subnet) => subnet.vpcId === id);
  if (blocks.filter(({ primary }) => primary).length !== 1) problems.push(`${id}: primary blocks`);
  if (ownTables.filter(({ main }) => main).length !== 1) problems.push(`${id}: main tables`);
  if (anyPair(blocksOf(vpc), overlap)) problems.push(`${id}: blocks that overlap`);
  const subnetBlocks = own.map(({ block }) => block);
  if (anyPair(subnetBlocks, overlap)) problems.push(`${id}: subnets that overlap`);
  if (!subnetBlocks.every((inner) => blocksOf(vpc).some((outer) => isInside(inner, outer)))) {
    problems.push(`${id}: a subnet outside its blocks`);
  }
  const choices = ownTables.filter(({ main }) => !main).map((table) => table.id);
  if (!own.every(({ routeTableId: at }) => at === null || choices.includes(at))) {
    problems.push(`${id}: a subnet with a route table that is not its VPC's`);
  }
  return problems;
}

function anyPair<T>(items: readonly T[], test: (a: T, b: T) => boolean): boolean {
  return items.some((a, at) => items.slice(at + 1).some((b) => test(a, b)));
}

/** Within any hour, and whatever has become of them. */
function floodProblems({ peerings }: Snapshot): string[] {
  const across = peerings.filter((p) => p.requesterTenantId !== p.accepterTenantId);
  return across.flatMap((last) => {
    const until = last.createdAt.getTime();
    const sent = across.filter(
      ({ requesterTenantId, accepterTenantId, createdAt }) =>
        requesterTenantId === last.requesterTenantId &&
        accepterTenantId === last.accepterTenantId &&
        createdAt.getTime() <= until &&
        createdAt.getTime() > until - HOUR_MS,
    );
    if (sent.length <= QUOTAS.requestsPerHourToTenant) return [];
    return [`${last.id} was sent to ${last.accepterTenantId} beyond the quota`];
  });
}

function quotaProblems({ vpcs, tables, peerings }: Snapshot): string[] {
  const live = peerings.filter(isLive);
  const counted = {
    livePeeringsPerVpc: live.flatMap((p) => [p.requesterVpcId, p.accepterVpcId]),
    pendingRequestsPerTenant: peerings.filter(isPending).map((p) => p.requesterTenantId),
    vpcsPerTenant: vpcs.map(({ tenantId }) => tenantId),
    blocksPerVpc: vpcs.flatMap(({ id, blocks }) => blocks.map(() => id)),
    routeTablesPerVpc: tables.map(({ vpcId }) => vpcId),
    routesPerTable: tables.flatMap(({ id, routes }) => routes.map(() => id)),
  };
  return Object.entries(counted).flatMap(([quota, owners]) => {
    const limit = QUOTAS[quota as keyof typeof counted];
    const exceeded = [...new Set(owners)].filter(
      (owner) => owners.filter((other) => other === owner).length > limit,
    );
    return exceeded.map((owner) => `${owner} has more ${quota} than ${limit}`);
  });
}

/**
 * Routes lead to peerings that their VPC took part in, out of the VPC; those that came with a
 * peering are in a main table, lead to a block of the other side, and are gone with the peering.
 */
function routeProblems(
  { tables, peerings }: Snapshot,
  vpcs: ReadonlyMap<string, StoredVpc>,
): string[] {
  const byId = new Map(peerings.map((peering) => [peering.id, peering]));
  return tables.flatMap(({ id, vpcId, main, routes }) => {
    const local = blocksOf(vpcs.get(vpcId));
    return routes.flatMap(({ destination, origin, vpcPeeringId }) => {
      const route = `the route to ${destination} in ${id}`;
      if (local.some((block) => isInside(destination, block))) return [`${route} is local`];
      const peering = byId.get(vpcPeeringId);
      const ends = [peering?.requesterVpcId, peering?.accepterVpcId];
      if (peering !== undefined && !ends.includes(vpcId)) return [`${route} is to a stranger`];
      if (origin !== "peering") return [];
      if (!main) return [`${route} came with a peering, to a table that is not the main one`];
      const peer = vpcs.get(ends.find((end) => end !== vpcId) ?? "");
      const fits = ["provisioning", "active"].includes(peering?.state ?? "");
      if (!fits) return [`${route} has outlived ${vpcPeeringId}, ${peering?.state}`];
      return blocksOf(peer).includes(destination) ? [] : [`${route} is to no block of the peer`];
    });
  });
}
