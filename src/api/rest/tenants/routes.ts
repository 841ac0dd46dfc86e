import {
  createTenant,
  deleteTenant,
  getTenant,
  listTenants,
  updateTenant,
} from "../../../services/tenants.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { noContent } from "../fields.js";
import { answerPage, listQuery, pageOf } from "../query.js";
import { presentPrincipal, presentTenant } from "./mapper.js";
import {
  createTenantSchema,
  tenantPathSchema,
  tenantSchema,
  updateTenantSchema,
  whoamiSchema,
} from "./schema.js";

export const tenantRoutes: RouteGroup = (scope, { cursors }) => {
  const app = typed(scope);

  app.route({
    ...endpoint("whoami", { response: { 200: whoamiSchema } }),
    handler: async (request) => presentPrincipal(principalOf(request)),
  });

  app.route({
    ...endpoint("createTenant", { body: createTenantSchema, response: { 201: tenantSchema } }),
    handler: async (request, reply) => {
      const tenant = await createTenant(request.services, principalOf(request), request.body);
      return reply.code(201).send(presentTenant(tenant));
    },
  });

  app.route({
    ...endpoint("listTenants", {
      querystring: listQuery({}),
      response: { 200: pageOf(tenantSchema) },
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const read = listTenants.bind(undefined, request.services, caller);
      return answerPage(cursors, "tenants", request, read, presentTenant);
    },
  });

  app.route({
    ...endpoint("getTenant", { params: tenantPathSchema, response: { 200: tenantSchema } }),
    handler: async (request) =>
      presentTenant(await getTenant(request.services, principalOf(request), request.params.id)),
  });

  app.route({
    ...endpoint("updateTenant", {
      params: tenantPathSchema,
      body: updateTenantSchema,
      response: { 200: tenantSchema },
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const patch = request.body ?? {};
      return presentTenant(await updateTenant(request.services, caller, request.params.id, patch));
    },
  });

  app.route({
    ...endpoint("deleteTenant", {
      params: tenantPathSchema,
      response: { 204: noContent },
      description:
        "Refused while it has VPCs. Its access keys go with it. Its id is not used again, and what was agreed with other tenants stays what it is to them.",
    }),
    handler: async (request, reply) => {
      await deleteTenant(request.services, principalOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
};
