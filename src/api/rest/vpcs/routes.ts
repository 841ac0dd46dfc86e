import type { PageRequest, Vpc } from "../../../domain/resources.js";
import { createVpc, deleteVpc, getVpc, listVpcs, updateVpc } from "../../../services/vpcs.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { noContent, pathId } from "../fields.js";
import { answerPage, pageOf, TAG_FILTERS, tagFilters } from "../query.js";
import { presentVpc } from "./mapper.js";
import { createVpcSchema, describeSchema, vpcListSchema, vpcSchema } from "./schema.js";

const params = pathId("vpc");

export const vpcRoutes: RouteGroup = (scope, { context, view, cursors }) => {
  const app = typed(scope);
  const present = (vpc: Vpc) => presentVpc(vpc, view);

  app.route({
    ...endpoint("createVpc", { body: createVpcSchema, response: { 201: vpcSchema } }),
    handler: async (request, reply) => {
      const vpc = await createVpc(context, principalOf(request), request.body);
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
      const read = (page: PageRequest) => listVpcs(context, caller, filter, page);
      return answerPage(cursors, "vpcs", request.query, read, present);
    },
  });

  app.route({
    ...endpoint("getVpc", { params, response: { 200: vpcSchema } }),
    handler: async (request) =>
      present(await getVpc(context, principalOf(request), request.params.id)),
  });

  app.route({
    ...endpoint("updateVpc", { params, body: describeSchema, response: { 200: vpcSchema } }),
    handler: async (request) => {
      const patch = request.body ?? {};
      return present(await updateVpc(context, principalOf(request), request.params.id, patch));
    },
  });

  app.route({
    ...endpoint("deleteVpc", {
      params,
      response: { 204: noContent },
      description: "Refused while it has subnets or live peerings; pending requests end with it.",
    }),
    handler: async (request, reply) => {
      await deleteVpc(context, principalOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
};
