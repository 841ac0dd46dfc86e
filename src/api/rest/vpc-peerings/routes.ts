import type { FastifyRequest } from "fastify";
import { describeAction } from "../../../domain/lifecycle.js";
import type { PageRequest, VpcPeering } from "../../../domain/resources.js";
import {
  acceptPeering,
  deletePeering,
  getPeering,
  listPeerings,
  peeringIntent,
  rejectPeering,
  requestPeering,
  updatePeeringOptions,
} from "../../../services/vpc-peerings.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RestDeps, type RouteGroup, typed } from "../endpoint.js";
import { pathId } from "../fields.js";
import { answerPage, pageOf, TAG_FILTERS, tagFilters, waitQuery } from "../query.js";
import { presentPeering, presentPeeringFlows } from "./mapper.js";
import {
  acceptPeeringSchema,
  emptyBodySchema,
  peeringFlowsSchema,
  peeringListSchema,
  peeringOptionsSchema,
  requestPeeringSchema,
  vpcPeeringSchema,
} from "./schema.js";

const params = pathId("vpcPeering");

export const vpcPeeringRoutes: RouteGroup = (scope, deps) => {
  requestRoute(scope, deps);
  readRoutes(scope, deps);
  actionRoutes(scope, deps);
  detailRoutes(scope, deps);
};

function presenter({ view }: RestDeps) {
  return (peering: VpcPeering, request: FastifyRequest) =>
    presentPeering(peering, principalOf(request), view);
}

const requestRoute: RouteGroup = (scope, deps) => {
  const present = presenter(deps);
  typed(scope).route({
    ...endpoint("requestVpcPeering", {
      querystring: waitQuery,
      body: requestPeeringSchema,
      response: { 200: vpcPeeringSchema, 201: vpcPeeringSchema },
      description:
        "Asked for again while one in the same direction is pending, provisioning or active, the existing peering is returned with 200. While one of the two VPCs is being deleted, whichever asked for it: 409 VpcPeeringConnectionDeleting; with `wait` its end is waited for, and then it is asked anew.",
    }),
    handler: async (request, reply) => {
      const caller = principalOf(request);
      const waitMs = milliseconds(request.query.wait);
      const asked = await requestPeering(request.services, caller, request.body, waitMs);
      const { peering, created } = asked;
      return reply.code(created ? 201 : 200).send(present(peering, request));
    },
  });
};

const readRoutes: RouteGroup = (scope, deps) => {
  const app = typed(scope);
  const present = presenter(deps);

  app.route({
    ...endpoint("listVpcPeerings", {
      querystring: peeringListSchema,
      response: { 200: pageOf(vpcPeeringSchema) },
      description: TAG_FILTERS,
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const { state, vpcId, role } = request.query;
      const filter = { state, vpcId, role, tags: tagFilters(request.query) };
      const read = (page: PageRequest) => listPeerings(request.services, caller, filter, page);
      return answerPage(deps.cursors, "vpc-peerings", request, read, (peering) =>
        present(peering, request),
      );
    },
  });

  app.route({
    ...endpoint("getVpcPeering", { params, response: { 200: vpcPeeringSchema } }),
    handler: async (request) => {
      const caller = principalOf(request);
      return present(await getPeering(request.services, caller, request.params.id), request);
    },
  });
};

const actionRoutes: RouteGroup = (scope, deps) => {
  const app = typed(scope);
  const present = presenter(deps);
  const response = { 200: vpcPeeringSchema };

  app.route({
    ...endpoint("acceptVpcPeering", {
      params,
      querystring: waitQuery,
      body: acceptPeeringSchema,
      response,
      description: describeAction("accept"),
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const { id } = request.params;
      const waitMs = milliseconds(request.query.wait);
      const body = request.body ?? {};
      return present(await acceptPeering(request.services, caller, id, body, waitMs), request);
    },
  });

  app.route({
    ...endpoint("rejectVpcPeering", {
      params,
      querystring: waitQuery,
      body: emptyBodySchema,
      response,
      description: `${describeAction("reject")} Nothing changes on the switch: the answer is final at once, however long \`wait\` allows.`,
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const { id } = request.params;
      const waitMs = milliseconds(request.query.wait);
      return present(await rejectPeering(request.services, caller, id, waitMs), request);
    },
  });

  app.route({
    ...endpoint("deleteVpcPeering", {
      params,
      querystring: waitQuery,
      response,
      description: describeAction("delete"),
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const { id } = request.params;
      const waitMs = milliseconds(request.query.wait);
      return present(await deletePeering(request.services, caller, id, waitMs), request);
    },
  });
};

const detailRoutes: RouteGroup = (scope, deps) => {
  const app = typed(scope);
  const present = presenter(deps);

  app.route({
    ...endpoint("updateVpcPeeringOptions", {
      params,
      body: peeringOptionsSchema,
      response: { 200: vpcPeeringSchema },
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const { id } = request.params;
      return present(
        await updatePeeringOptions(request.services, caller, id, request.body),
        request,
      );
    },
  });

  app.route({
    ...endpoint("showVpcPeeringFlows", {
      params,
      response: { 200: peeringFlowsSchema },
      description:
        "A tenant sees its own bridges and the exchange. Empty while it is not live, and for its requester until it has been active.",
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const { peering, intent } = await peeringIntent(request.services, caller, request.params.id);
      const bridges = intent === undefined ? [] : deps.view.peeringFlows(intent);
      return presentPeeringFlows(peering, bridges, caller);
    },
  });
};

function milliseconds(seconds: number | undefined): number {
  return Math.round((seconds ?? 0) * 1000);
}
