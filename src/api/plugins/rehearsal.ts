import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ResourceEvent } from "../../domain/resources.js";
import type { ServiceContext } from "../../services/context.js";
import { Rehearsal } from "../../services/rehearsal.js";
import { principalOf } from "./authentication.js";

declare module "fastify" {
  interface FastifyRequest {
    /** What the use case of this call is to be given. */
    services: ServiceContext;
    /** Set when the call is to be tried only. */
    rehearsal: Rehearsal | undefined;
  }
}

const JSON_TYPE = "application/json; charset=utf-8";

/**
 * Gives every call of this scope what its use case works with: with `?dryRun=true` something by
 * which nothing is done. Such a call answers what it would have answered, and what would have
 * changed; its refusals are those of the call itself. To be called before anything claims
 * idempotency keys.
 */
export function rehearseCalls(scope: FastifyInstance, ctx: ServiceContext): void {
  scope.decorateRequest("services");
  scope.decorateRequest("rehearsal", undefined);
  scope.addHook("preHandler", async (request) => {
    request.rehearsal = isDryRun(request) ? new Rehearsal(ctx) : undefined;
    request.services = request.rehearsal?.services ?? ctx;
  });
  scope.addHook("onSend", async (request, reply, payload) => {
    const { rehearsal } = request;
    if (rehearsal === undefined || reply.statusCode >= 400) return payload;
    return answerOf(request, reply, rehearsal, payload);
  });
}

/** The query has been found valid: only calls that change something have this parameter. */
function isDryRun({ query }: FastifyRequest): boolean {
  return (query as { readonly dryRun?: string }).dryRun === "true";
}

function answerOf(
  request: FastifyRequest,
  reply: FastifyReply,
  rehearsal: Rehearsal,
  payload: unknown,
): string {
  const { statusCode: status } = reply;
  const answered: unknown = typeof payload === "string" ? JSON.parse(payload) : null;
  const { rehearsedBody } = request.routeOptions.config;
  const body = rehearsedBody === undefined ? answered : rehearsedBody.parse(answered);
  const changes = rehearsal.changesSeenBy(principalOf(request)).map(presentChange);
  reply.code(200).type(JSON_TYPE);
  return JSON.stringify({ dryRun: true, status, body, changes });
}

function presentChange({ resourceType, resourceId, action, before, after }: ResourceEvent) {
  return { resourceType, resourceId, action, before, after };
}
