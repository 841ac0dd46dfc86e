import type { NetworkInterface, PageRequest } from "../../../domain/resources.js";
import { askSwitch } from "../../../domain/turn.js";
import {
  createNetworkInterface,
  deleteNetworkInterface,
  getNetworkInterface,
  listNetworkInterfaces,
  updateNetworkInterface,
} from "../../../services/network-interfaces.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { noContent, pathId } from "../fields.js";
import { answerPage, pageOf, TAG_FILTERS, tagFilters } from "../query.js";
import { presentDrops, presentNetworkInterface } from "./mapper.js";
import {
  createNetworkInterfaceSchema,
  deleteNetworkInterfaceQuery,
  networkInterfaceDropsSchema,
  networkInterfaceListSchema,
  networkInterfaceSchema,
  updateNetworkInterfaceSchema,
} from "./schema.js";

const params = pathId("networkInterface");

const DROPS = `Read from the switch at this moment; it counts with a delay of up to half a second.
Counters start from zero when the interface is plugged in, when ovs-vswitchd restarts, and when
somebody has removed their flows: see \`since\`. Null, not zeros, while nothing counts. 503 while the
switch cannot be read. Not counted for an interface: what is tagged, in fragments (where those are
dropped) or neither IPv4 nor ARP; what nobody has the address of; what a peer's side or the exchange
does not let in; and whatever arrives at a port that is not plugged in for it.`;

export const networkInterfaceRoutes: RouteGroup = (scope, { view, cursors }) => {
  const app = typed(scope);
  const present = (eni: NetworkInterface) => presentNetworkInterface(eni, view);

  app.route({
    ...endpoint("createNetworkInterface", {
      body: createNetworkInterfaceSchema,
      response: { 201: networkInterfaceSchema },
      description:
        "It is bound when a port of the VPC's bridge carries `external_ids:iface-id` with its id. Without `securityGroupIds` it is in the default group of its VPC.",
    }),
    handler: async (request, reply) => {
      const eni = await createNetworkInterface(
        request.services,
        principalOf(request),
        request.body,
      );
      return reply.code(201).send(present(eni));
    },
  });

  app.route({
    ...endpoint("listNetworkInterfaces", {
      querystring: networkInterfaceListSchema,
      response: { 200: pageOf(networkInterfaceSchema) },
      description: TAG_FILTERS,
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const { vpcId, subnetId, securityGroupId } = request.query;
      const filter = { vpcId, subnetId, securityGroupId, tags: tagFilters(request.query) };
      const read = (page: PageRequest) =>
        listNetworkInterfaces(request.services, caller, filter, page);
      return answerPage(cursors, "network-interfaces", request, read, present);
    },
  });

  app.route({
    ...endpoint("getNetworkInterface", { params, response: { 200: networkInterfaceSchema } }),
    handler: async (request) =>
      present(await getNetworkInterface(request.services, principalOf(request), request.params.id)),
  });

  app.route({
    ...endpoint("showNetworkInterfaceDrops", {
      params,
      response: { 200: networkInterfaceDropsSchema },
      description: DROPS,
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const eni = await getNetworkInterface(request.services, caller, request.params.id);
      const drops = await askSwitch(caller, () => view.dropsOf(eni.id));
      return presentDrops(eni.id, drops, view, request.services.clock());
    },
  });

  app.route({
    ...endpoint("updateNetworkInterface", {
      params,
      body: updateNetworkInterfaceSchema,
      response: { 200: networkInterfaceSchema },
      description:
        "A list takes the place of the one there was: with `securityGroupIds` it is in these groups and in no others.",
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const patch = request.body ?? {};
      return present(
        await updateNetworkInterface(request.services, caller, request.params.id, patch),
      );
    },
  });

  app.route({
    ...endpoint("deleteNetworkInterface", {
      params,
      querystring: deleteNetworkInterfaceQuery,
      response: { 204: noContent },
      description: "Refused while it is plugged into a port, unless `force=true`.",
    }),
    handler: async (request, reply) => {
      const caller = principalOf(request);
      const { id } = request.params;
      const bindingOf = request.query.force === "true" ? undefined : view.binding.bind(view);
      await deleteNetworkInterface(request.services, caller, id, bindingOf);
      return reply.code(204).send();
    },
  });
};
