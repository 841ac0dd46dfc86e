import type { PageRequest } from "../../../domain/resources.js";
import {
  createAccessKey,
  deleteAccessKey,
  listAccessKeys,
  updateAccessKey,
} from "../../../services/access-keys.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { noContent } from "../fields.js";
import { answerPage, listQuery, pageOf } from "../query.js";
import { tenantPathSchema } from "../tenants/schema.js";
import { presentAccessKey, presentIssuedAccessKey } from "./mapper.js";
import {
  accessKeyPathSchema,
  accessKeySchema,
  createAccessKeySchema,
  issuedAccessKeySchema,
  updateAccessKeySchema,
} from "./schema.js";

export const accessKeyRoutes: RouteGroup = (scope, { cursors }) => {
  const app = typed(scope);

  app.route({
    ...endpoint("createAccessKey", {
      params: tenantPathSchema,
      body: createAccessKeySchema,
      response: { 201: issuedAccessKeySchema },
      rehearsedBody: accessKeySchema,
    }),
    handler: async (request, reply) => {
      const caller = principalOf(request);
      const issued = await createAccessKey(
        request.services,
        caller,
        request.params.id,
        request.body,
      );
      reply.header("cache-control", "no-store");
      return reply.code(201).send(presentIssuedAccessKey(issued));
    },
  });

  app.route({
    ...endpoint("listAccessKeys", {
      params: tenantPathSchema,
      querystring: listQuery({}),
      response: { 200: pageOf(accessKeySchema) },
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const tenantId = request.params.id;
      const read = (page: PageRequest) => listAccessKeys(request.services, caller, tenantId, page);
      const list = `access-keys of ${tenantId}`;
      return answerPage(cursors, list, request, read, presentAccessKey);
    },
  });

  app.route({
    ...endpoint("updateAccessKey", {
      params: accessKeyPathSchema,
      body: updateAccessKeySchema,
      response: { 200: accessKeySchema },
    }),
    handler: async (request) => {
      const { id: tenantId, keyId } = request.params;
      const caller = principalOf(request);
      const key = { tenantId, keyId };
      const change = request.body ?? {};
      return presentAccessKey(await updateAccessKey(request.services, caller, key, change));
    },
  });

  app.route({
    ...endpoint("deleteAccessKey", { params: accessKeyPathSchema, response: { 204: noContent } }),
    handler: async (request, reply) => {
      const { id, keyId } = request.params;
      await deleteAccessKey(request.services, principalOf(request), id, keyId);
      return reply.code(204).send();
    },
  });
};
