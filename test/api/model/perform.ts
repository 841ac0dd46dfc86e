import { DomainError } from "../../../src/domain/errors.js";
import type { Principal } from "../../../src/domain/principal.js";
import { addCidrBlock, removeCidrBlock } from "../../../src/services/cidr-blocks.js";
import {
  expireRequests,
  failDoomedRequests,
  forgetHiddenPeerings,
} from "../../../src/services/peering-sweeps.js";
import {
  associateRouteTable,
  createRouteTable,
  deleteRouteTable,
  listRouteTables,
} from "../../../src/services/route-tables.js";
import { createRoute, deleteRoute, replaceRoute } from "../../../src/services/routes.js";
import { createSubnet, deleteSubnet } from "../../../src/services/subnets.js";
import {
  acceptPeering,
  deletePeering,
  rejectPeering,
  requestPeering,
} from "../../../src/services/vpc-peerings.js";
import { createVpc, deleteVpc } from "../../../src/services/vpcs.js";
import type { Names } from "./names.js";
import {
  type Addressee,
  type Handlers,
  handle,
  type Operation,
  type Outcome,
} from "./operations.js";
import { HOUR_MS } from "./state.js";
import type { World } from "./world.js";

interface Performer {
  readonly world: World;
  readonly names: Names;
}

const handlers: Handlers<Performer, Promise<Omit<Outcome, "code"> | undefined>> = {
  "create-vpc": async ({ world, names }, { as, block }) => {
    const caller = world.principals[as];
    const { id: vpcId } = await createVpc(world.context, caller, { cidrBlock: block });
    names.created("vpc", vpcId);
    const page = { limit: 1, after: 0 };
    const { items } = await listRouteTables(world.context, caller, { vpcId }, page);
    for (const { id } of items) names.created("rtb", id);
    return undefined;
  },
  "delete-vpc": async (on, { as, vpc }) => {
    await deleteVpc(...by(on, as), on.names.real(vpc));
    return undefined;
  },
  "add-block": async (on, { as, vpc, block }) => {
    await addCidrBlock(...by(on, as), on.names.real(vpc), { cidrBlock: block });
    return undefined;
  },
  "remove-block": async (on, { as, vpc, block }) => {
    await removeCidrBlock(...by(on, as), on.names.real(vpc), block);
    return undefined;
  },
  "create-subnet": async (on, { as, vpc, block }) => {
    const input = { vpcId: on.names.real(vpc), cidrBlock: block };
    on.names.created("subnet", (await createSubnet(...by(on, as), input)).id);
    return undefined;
  },
  "delete-subnet": async (on, { as, subnet }) => {
    await deleteSubnet(...by(on, as), on.names.real(subnet));
    return undefined;
  },
  "create-table": async (on, { as, vpc }) => {
    const table = await createRouteTable(...by(on, as), { vpcId: on.names.real(vpc) });
    on.names.created("rtb", table.id);
    return undefined;
  },
  "delete-table": async (on, { as, table }) => {
    await deleteRouteTable(...by(on, as), on.names.real(table));
    return undefined;
  },
  associate: async (on, { as, table, subnet }) => {
    const subnetId = on.names.real(subnet);
    await associateRouteTable(...by(on, as), on.names.real(table), { subnetId });
    return undefined;
  },
  "create-route": async (on, { as, table, destination, peering }) => {
    const route = { destinationCidrBlock: destination, vpcPeeringId: on.names.real(peering) };
    await createRoute(...by(on, as), on.names.real(table), route);
    return undefined;
  },
  "replace-route": async (on, { as, table, destination, peering }) => {
    const target = { vpcPeeringId: on.names.real(peering) };
    await replaceRoute(...by(on, as), on.names.real(table), destination, target);
    return undefined;
  },
  "delete-route": async (on, { as, table, destination }) => {
    await deleteRoute(...by(on, as), on.names.real(table), destination);
    return undefined;
  },
  request: async (on, { as, from, to, addressee, autoRoutes }) => {
    const { peering, created } = await requestPeering(...by(on, as), {
      requesterVpcId: on.names.real(from),
      accepterVpcId: on.names.real(to),
      accepterTenantId: tenantId(on, addressee),
      autoRoutes,
    });
    if (created) on.names.created("pcx", peering.id);
    return { state: peering.state, created };
  },
  accept: async (on, { as, peering, autoRoutes }) => {
    const id = on.names.real(peering);
    return stateOf(await acceptPeering(...by(on, as), id, { autoRoutes }, 0));
  },
  reject: async (on, { as, peering }) =>
    stateOf(await rejectPeering(...by(on, as), on.names.real(peering), 0)),
  "delete-peering": async (on, { as, peering }) =>
    stateOf(await deletePeering(...by(on, as), on.names.real(peering), 0)),
  advance: async ({ world }, { hours }) => {
    world.clock.now += hours * HOUR_MS;
    return undefined;
  },
  sweep: async ({ world }) => {
    await failDoomedRequests(world.context);
    await expireRequests(world.context);
    await forgetHiddenPeerings(world.context);
    return undefined;
  },
  confirm: async ({ world }) => {
    await world.reconciler.reconcileNow("all", false);
    return undefined;
  },
};

/** Does it through the services. Throws whatever is not meant for a caller. */
export async function perform(world: World, names: Names, operation: Operation): Promise<Outcome> {
  try {
    return { code: "ok", ...(await handle(handlers, { world, names }, operation)) };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { code: error.code };
  }
}

function by({ world }: Performer, as: Operation<"reject">["as"]) {
  return [world.context, world.principals[as]] as const;
}

/** "nobody" has an id that looks like one and belongs to no tenant. */
function tenantId({ world }: Performer, addressee: Addressee): string | undefined {
  if (addressee === undefined) return undefined;
  return addressee === "nobody" ? "000000000000" : (tenantOf(world.principals[addressee]) ?? "");
}

function tenantOf(principal: Principal): string | null {
  return principal.tenantId;
}

function stateOf({ state }: { state: string }) {
  return { state };
}
