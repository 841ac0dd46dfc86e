import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { DataPlaneStatus, DataPlaneView } from "../../domain/data-plane.js";
import { Following, isConfirmed } from "../../services/following.js";
import { principalOf } from "./authentication.js";

const NO_CONTENT = 204;
const UNCONFIRMED = 202;

/**
 * Holds answers back with `?wait=` until the switch has followed what the call has changed. When the
 * time is over before, a call that has no answer but that it is done says 202 instead, and any other
 * does not say that it is in force. To be called after `rehearseCalls`.
 */
export function followCalls(scope: FastifyInstance, view: DataPlaneView): void {
  scope.addHook("preHandler", async (request) => {
    const limitMs = waitMs(request);
    if (limitMs === undefined || request.rehearsal !== undefined) return;
    const { db, settlements } = request.services;
    const deps = { db, settlements, view };
    const following = new Following(deps, principalOf(request), limitMs);
    request.services = { ...request.services, following };
  });
  scope.addHook("onSend", async (request, reply, payload) => {
    const status = request.services?.following?.status;
    if (status === undefined || isConfirmed(status) || reply.statusCode >= 400) return payload;
    return reply.statusCode === NO_CONTENT
      ? unconfirmed(reply, status)
      : corrected(payload, status);
  });
}

/** The query has been found valid: only calls that can be waited for have this parameter. */
function waitMs({ query }: FastifyRequest): number | undefined {
  const { wait } = query as { readonly wait?: number };
  return wait === undefined ? undefined : Math.round(wait * 1000);
}

function unconfirmed(reply: FastifyReply, dataPlane: DataPlaneStatus): string {
  reply.code(UNCONFIRMED).type("application/json; charset=utf-8");
  return JSON.stringify({ dataPlane });
}

/** What is in force where the resource is may be missing elsewhere: at a peer whose rules name it. */
function corrected(payload: unknown, status: DataPlaneStatus): unknown {
  if (typeof payload !== "string") return payload;
  const body = JSON.parse(payload) as { dataPlane?: DataPlaneStatus };
  if (body.dataPlane === undefined || !isConfirmed(body.dataPlane)) return payload;
  return JSON.stringify({ ...body, dataPlane: status });
}
