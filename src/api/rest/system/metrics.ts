import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { DomainError } from "../../../domain/errors.js";
import { requirePermission } from "../../../domain/principal.js";
import type { Metrics } from "../../metrics.js";
import { type Authenticate, bearerToken } from "../../plugins/authentication.js";
import { endpoint, typed } from "../endpoint.js";

const LOOPBACK = /^(::ffff:)?127\.|^::1$/;

export function metricsRoute(
  scope: FastifyInstance,
  metrics: Metrics,
  authenticate: Authenticate,
): void {
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
      if (!isLocal(request)) await requireOperator(request, authenticate);
    },
    handler: async (_request, reply) => {
      const text = await metrics.text();
      return reply.type(metrics.contentType).serializer(String).send(text);
    },
  });
}

/** From this host, and not through a proxy on it. */
function isLocal(request: FastifyRequest): boolean {
  const { forwarded, "x-forwarded-for": forwardedFor } = request.headers;
  return LOOPBACK.test(request.ip) && forwarded === undefined && forwardedFor === undefined;
}

async function requireOperator(request: FastifyRequest, authenticate: Authenticate): Promise<void> {
  const caller = await authenticate(bearerToken(request));
  requirePermission(caller, "data_plane:read");
  if (caller.tenantId !== null) throw new DomainError("Forbidden", "metrics are the operator's");
}
