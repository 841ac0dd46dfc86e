import type { PageRequest, Subnet } from "../../../domain/resources.js";
import {
  createSubnet,
  deleteSubnet,
  getSubnet,
  listSubnets,
  updateSubnet,
} from "../../../services/subnets.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { noContent, pathId } from "../fields.js";
import { answerPage, pageOf, TAG_FILTERS, tagFilters } from "../query.js";
import { describeSchema } from "../vpcs/schema.js";
import { presentSubnet } from "./mapper.js";
import { createSubnetSchema, subnetListSchema, subnetSchema } from "./schema.js";

const params = pathId("subnet");

export const subnetRoutes: RouteGroup = (scope, { view, cursors }) => {
  const app = typed(scope);
  const present = (subnet: Subnet) => presentSubnet(subnet, view);

  app.route({
    ...endpoint("createSubnet", {
      body: createSubnetSchema,
      response: { 201: subnetSchema },
      description:
        "The first four addresses and the last are reserved; the first host is the gateway.",
    }),
    handler: async (request, reply) => {
      const subnet = await createSubnet(request.services, principalOf(request), request.body);
      return reply.code(201).send(present(subnet));
    },
  });

  app.route({
    ...endpoint("listSubnets", {
      querystring: subnetListSchema,
      response: { 200: pageOf(subnetSchema) },
      description: TAG_FILTERS,
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const filter = { vpcId: request.query.vpcId, tags: tagFilters(request.query) };
      const read = (page: PageRequest) => listSubnets(request.services, caller, filter, page);
      return answerPage(cursors, "subnets", request, read, present);
    },
  });

  app.route({
    ...endpoint("getSubnet", { params, response: { 200: subnetSchema } }),
    handler: async (request) =>
      present(await getSubnet(request.services, principalOf(request), request.params.id)),
  });

  app.route({
    ...endpoint("updateSubnet", { params, body: describeSchema, response: { 200: subnetSchema } }),
    handler: async (request) => {
      const patch = request.body ?? {};
      return present(
        await updateSubnet(request.services, principalOf(request), request.params.id, patch),
      );
    },
  });

  app.route({
    ...endpoint("deleteSubnet", { params, response: { 204: noContent } }),
    handler: async (request, reply) => {
      await deleteSubnet(request.services, principalOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
};
