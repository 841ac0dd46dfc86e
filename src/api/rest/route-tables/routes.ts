import type { PageRequest, RouteTable } from "../../../domain/resources.js";
import {
  associateRouteTable,
  createRouteTable,
  deleteRouteTable,
  disassociateRouteTable,
  getRouteTable,
  listRouteTables,
} from "../../../services/route-tables.js";
import { createRoute, deleteRoute, replaceRoute } from "../../../services/routes.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RestDeps, type RouteGroup, typed } from "../endpoint.js";
import { noContent, pathId } from "../fields.js";
import { answerPage, pageOf } from "../query.js";
import { presentRouteTable } from "./mapper.js";
import {
  associateSchema,
  associationParams,
  createRouteSchema,
  createRouteTableSchema,
  replaceRouteSchema,
  routeParams,
  routeTableListSchema,
  routeTableSchema,
} from "./schema.js";

const params = pathId("routeTable");

export const routeTableRoutes: RouteGroup = (scope, deps) => {
  tableRoutes(scope, deps);
  entryRoutes(scope, deps);
  associationRoutes(scope, deps);
};

function presenter({ view }: RestDeps) {
  return (table: RouteTable) => presentRouteTable(table, view);
}

const tableRoutes: RouteGroup = (scope, deps) => {
  const app = typed(scope);
  const { cursors } = deps;
  const present = presenter(deps);

  app.route({
    ...endpoint("createRouteTable", {
      body: createRouteTableSchema,
      response: { 201: routeTableSchema },
      description: "A table beside the main one, which every VPC has from the start.",
    }),
    handler: async (request, reply) => {
      const table = await createRouteTable(request.services, principalOf(request), request.body);
      return reply.code(201).send(present(table));
    },
  });

  app.route({
    ...endpoint("listRouteTables", {
      querystring: routeTableListSchema,
      response: { 200: pageOf(routeTableSchema) },
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const { vpcId } = request.query;
      const read = (page: PageRequest) =>
        listRouteTables(request.services, caller, { vpcId }, page);
      return answerPage(cursors, "route-tables", request, read, present);
    },
  });

  app.route({
    ...endpoint("getRouteTable", { params, response: { 200: routeTableSchema } }),
    handler: async (request) =>
      present(await getRouteTable(request.services, principalOf(request), request.params.id)),
  });

  app.route({
    ...endpoint("deleteRouteTable", {
      params,
      response: { 204: noContent },
      description: "Refused while subnets are associated with it, and for the main table.",
    }),
    handler: async (request, reply) => {
      await deleteRouteTable(request.services, principalOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
};

const entryRoutes: RouteGroup = (scope, deps) => {
  const app = typed(scope);
  const present = presenter(deps);

  app.route({
    ...endpoint("createRoute", {
      params,
      body: createRouteSchema,
      response: { 201: routeTableSchema },
      description:
        "The destination may be a block of the peer, a part of one, or wider: what is outside the peer's blocks is dropped on its way. It may not lie inside a block of the table's own VPC. The longest prefix wins. Until the peering is active, and when it has ended, the route is a blackhole.",
    }),
    handler: async (request, reply) => {
      const { id } = request.params;
      const table = await createRoute(request.services, principalOf(request), id, request.body);
      return reply.code(201).send(present(table));
    },
  });

  app.route({
    ...endpoint("replaceRoute", {
      params: routeParams,
      body: replaceRouteSchema,
      response: { 200: routeTableSchema },
      description:
        "The destination is URL-encoded: `10.1.0.0%2F16`. No packet is lost between the old target and the new one. Only routes of origin `user` can be led elsewhere.",
    }),
    handler: async (request) => {
      const { id, cidr } = request.params;
      const caller = principalOf(request);
      return present(await replaceRoute(request.services, caller, id, cidr, request.body));
    },
  });

  app.route({
    ...endpoint("deleteRoute", {
      params: routeParams,
      response: { 204: noContent },
      description: "The destination is URL-encoded: `10.1.0.0%2F16`. Local routes cannot go.",
    }),
    handler: async (request, reply) => {
      const { id, cidr } = request.params;
      await deleteRoute(request.services, principalOf(request), id, cidr);
      return reply.code(204).send();
    },
  });
};

const associationRoutes: RouteGroup = (scope, deps) => {
  const app = typed(scope);
  const present = presenter(deps);

  app.route({
    ...endpoint("associateRouteTable", {
      params,
      body: associateSchema,
      response: { 201: routeTableSchema },
      description:
        "The subnet follows this table from then on, and no other. With the main table it is as with no table: the association ends.",
    }),
    handler: async (request, reply) => {
      const { id } = request.params;
      const table = await associateRouteTable(
        request.services,
        principalOf(request),
        id,
        request.body,
      );
      return reply.code(201).send(present(table));
    },
  });

  app.route({
    ...endpoint("disassociateRouteTable", {
      params: associationParams,
      response: { 204: noContent },
      description: "The subnet returns to the main table.",
    }),
    handler: async (request, reply) => {
      const { id, subnetId } = request.params;
      await disassociateRouteTable(request.services, principalOf(request), id, subnetId);
      return reply.code(204).send();
    },
  });
};
