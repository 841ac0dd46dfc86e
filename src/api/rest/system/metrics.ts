import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { DomainError } from "../../../domain/errors.js";
import { requirePermission } from "../../../domain/principal.js";
import type { Metrics } from "../../metrics.js";
import { callerOf, isLocal, unauthenticated } from "../../plugins/authentication.js";
import { endpoint, typed } from "../endpoint.js";

export function metricsRoute(scope: FastifyInstance, metrics: Metrics): void {
  const schema = {
    response: {
      200: { description: "Success", content: { "text/plain": { schema: z.string() } } },
    },
  };
  const { schema: documented, ...place } = endpoint("metrics", { response: {} });
  typed(scope).route({
    ...place,
    schema: { ...documented, ...schema },
    onRequest: async (request) => {
      if (!isLocal(request)) requireOperator(request);
    },
    handler: async (_request, reply) => {
      const text = await metrics.text();
      return reply.type(metrics.contentType).serializer(String).send(text);
    },
  });
}

function requireOperator(request: FastifyRequest): void {
  const caller = callerOf(request);
  if (caller === undefined) throw unauthenticated(request);
  requirePermission(caller, "data_plane:read");
  if (caller.tenantId !== null) throw new DomainError("Forbidden", "metrics are the operator's");
}
