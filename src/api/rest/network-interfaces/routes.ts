import type { NetworkInterface, PageRequest } from "../../../domain/resources.js";
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
import { describeSchema } from "../vpcs/schema.js";
import { presentNetworkInterface } from "./mapper.js";
import {
  createNetworkInterfaceSchema,
  networkInterfaceListSchema,
  networkInterfaceSchema,
} from "./schema.js";

const params = pathId("networkInterface");

export const networkInterfaceRoutes: RouteGroup = (scope, { context, view, cursors }) => {
  const app = typed(scope);
  const present = (eni: NetworkInterface) => presentNetworkInterface(eni, view);

  app.route({
    ...endpoint("createNetworkInterface", {
      body: createNetworkInterfaceSchema,
      response: { 201: networkInterfaceSchema },
      description:
        "It is bound when a port of the VPC's bridge carries `external_ids:iface-id` with its id.",
    }),
    handler: async (request, reply) => {
      const eni = await createNetworkInterface(context, principalOf(request), request.body);
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
      const { vpcId, subnetId } = request.query;
      const filter = { vpcId, subnetId, tags: tagFilters(request.query) };
      const read = (page: PageRequest) => listNetworkInterfaces(context, caller, filter, page);
      return answerPage(cursors, "network-interfaces", request.query, read, present);
    },
  });

  app.route({
    ...endpoint("getNetworkInterface", { params, response: { 200: networkInterfaceSchema } }),
    handler: async (request) =>
      present(await getNetworkInterface(context, principalOf(request), request.params.id)),
  });

  app.route({
    ...endpoint("updateNetworkInterface", {
      params,
      body: describeSchema,
      response: { 200: networkInterfaceSchema },
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const patch = request.body ?? {};
      return present(await updateNetworkInterface(context, caller, request.params.id, patch));
    },
  });

  app.route({
    ...endpoint("deleteNetworkInterface", { params, response: { 204: noContent } }),
    handler: async (request, reply) => {
      await deleteNetworkInterface(context, principalOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
};
