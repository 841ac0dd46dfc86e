import { formatCidr } from "../../../src/domain/cidr.js";
import { listEvents } from "../../../src/services/events.js";
import { listRouteTables } from "../../../src/services/route-tables.js";
import { listPeerings } from "../../../src/services/vpc-peerings.js";
import { listVpcs } from "../../../src/services/vpcs.js";
import { describeRoute, describeWithheld, type View } from "./model.js";
import type { Labels } from "./names.js";
import type { Tenant } from "./operations.js";
import type { ModelEvent } from "./state.js";
import type { World } from "./world.js";

const ALL = { limit: 1000, after: 0 };

type Blocks = Parameters<typeof formatCidr>[0][];

function texts(blocks: Readonly<Blocks>): string[] {
  return blocks.map(formatCidr).sort();
}

/** What a tenant is really shown, in the words of the model. */
export async function observe(world: World, labels: Labels, tenant: Tenant): Promise<View> {
  const caller = world.principals[tenant];
  const [vpcs, tables, peerings] = await Promise.all([
    listVpcs(world.context, caller, { tags: {} }, ALL),
    listRouteTables(world.context, caller, {}, ALL),
    listPeerings(world.context, caller, { tags: {} }, ALL),
  ]);
  return {
    vpcs: vpcs.items.map(({ id, blocks }) => ({
      id: labels.label(id),
      blocks: texts(blocks.map(({ block }) => block)),
    })),
    tables: tables.items.map((table) => ({
      id: labels.label(table.id),
      vpc: labels.label(table.vpcId),
      main: table.main,
      local: texts(table.vpcBlocks),
      routes: table.routes
        .map(({ destination, vpcPeeringId, origin, active }) => {
          const peering = labels.label(vpcPeeringId);
          return describeRoute({ destination: formatCidr(destination), peering, origin }, active);
        })
        .sort(),
      withheld: table.withheldRoutes
        .map(({ destination, vpcPeeringId, contestedBy }) =>
          describeWithheld({
            destination: formatCidr(destination),
            peering: labels.label(vpcPeeringId),
            contestedBy: contestedBy && labels.label(contestedBy),
          }),
        )
        .sort(),
      associations: table.associations.map((id) => labels.label(id)),
    })),
    peerings: peerings.items.map(({ id, state, requester, accepter }) => ({
      id: labels.label(id),
      state,
      requester: texts(requester.blocks),
      accepter: texts(accepter.blocks),
    })),
  };
}

type SeenEvent = Omit<ModelEvent, "tenants">;

/** The events of network resources that a tenant is shown, from the first. */
export async function observeEvents(
  world: World,
  labels: Labels,
  tenant: Tenant,
): Promise<SeenEvent[]> {
  const { items } = await listEvents(world.context, world.principals[tenant], ALL);
  return items
    .filter(({ resourceType }) => resourceType !== "tenant")
    .map(({ resourceType: type, resourceId, action, before, after }) => {
      const told = type === "route" ? after?.replace(/pcx-.*/, (id) => labels.label(id)) : after;
      return { type, id: labels.label(resourceId), action, before, after: told ?? null };
    });
}

export function eventsOf(events: readonly ModelEvent[], tenant: Tenant): SeenEvent[] {
  return events
    .filter(({ tenants }) => tenants.includes(tenant))
    .map(({ tenants: _, ...event }) => event);
}
