import type { PageRequest, Vpc } from "../../../domain/resources.js";
import { addCidrBlock, removeCidrBlock } from "../../../services/cidr-blocks.js";
import { createVpc, deleteVpc, getVpc, listVpcs, updateVpc } from "../../../services/vpcs.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { noContent, pathId } from "../fields.js";
import { answerPage, pageOf, TAG_FILTERS, tagFilters } from "../query.js";
import { presentVpc } from "./mapper.js";
import {
  addCidrBlockSchema,
  blockParams,
  createVpcSchema,
  describeSchema,
  vpcListSchema,
  vpcSchema,
} from "./schema.js";

const params = pathId("vpc");

export const vpcRoutes: RouteGroup = (scope, deps) => {
  resourceRoutes(scope, deps);
  blockRoutes(scope, deps);
};

const resourceRoutes: RouteGroup = (scope, { view, cursors }) => {
  const app = typed(scope);
  const present = (vpc: Vpc) => presentVpc(vpc, view);

  app.route({
    ...endpoint("createVpc", { body: createVpcSchema, response: { 201: vpcSchema } }),
    handler: async (request, reply) => {
      const vpc = await createVpc(request.services, principalOf(request), request.body);
      return reply.code(201).send(present(vpc));
    },
  });

  app.route({
    ...endpoint("listVpcs", {
      querystring: vpcListSchema,
      response: { 200: pageOf(vpcSchema) },
      description: TAG_FILTERS,
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const filter = { vpcId: request.query.vpcId, tags: tagFilters(request.query) };
      const read = (page: PageRequest) => listVpcs(request.services, caller, filter, page);
      return answerPage(cursors, "vpcs", request, read, present);
    },
  });

  app.route({
    ...endpoint("getVpc", { params, response: { 200: vpcSchema } }),
    handler: async (request) =>
      present(await getVpc(request.services, principalOf(request), request.params.id)),
  });

  app.route({
    ...endpoint("updateVpc", { params, body: describeSchema, response: { 200: vpcSchema } }),
    handler: async (request) => {
      const patch = request.body ?? {};
      return present(
        await updateVpc(request.services, principalOf(request), request.params.id, patch),
      );
    },
  });

  app.route({
    ...endpoint("deleteVpc", {
      params,
      response: { 204: noContent },
      description: "Refused while it has subnets or live peerings; pending requests end with it.",
    }),
    handler: async (request, reply) => {
      await deleteVpc(request.services, principalOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
};

const blockRoutes: RouteGroup = (scope, { view }) => {
  const app = typed(scope);

  app.route({
    ...endpoint("addCidrBlock", {
      params,
      body: addCidrBlockSchema,
      response: { 201: vpcSchema },
      description:
        "Disjoint from the VPC's other blocks and from those of every live peer, and no route of the VPC may lead to it or to a part of it. Peers whose routes follow the peering get a route to it.",
    }),
    handler: async (request, reply) => {
      const { id } = request.params;
      const vpc = await addCidrBlock(request.services, principalOf(request), id, request.body);
      return reply.code(201).send(presentVpc(vpc, view));
    },
  });

  app.route({
    ...endpoint("removeCidrBlock", {
      params: blockParams,
      response: { 204: noContent },
      description:
        "The block is URL-encoded: `10.1.0.0%2F16`. Refused for the primary block, and while subnets lie in it.",
    }),
    handler: async (request, reply) => {
      const { id, cidr } = request.params;
      await removeCidrBlock(request.services, principalOf(request), id, cidr);
      return reply.code(204).send();
    },
  });
};
