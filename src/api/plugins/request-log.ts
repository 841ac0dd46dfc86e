import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { callerOf } from "./authentication.js";

const ACCEPTABLE_ID = /^[\w.:-]{8,128}$/;

/** The caller's `x-request-id` when it is harmless to log, else a fresh one. */
export function requestId(request: { headers: NodeJS.Dict<string | string[]> }): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && ACCEPTABLE_ID.test(given) ? given : randomUUID();
}

/** Sends the request id back and writes one line for each request. */
export function requestLog(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });
  app.addHook("onResponse", async (request, reply) => {
    const line = {
      method: request.method,
      path: request.url.split("?", 1)[0],
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime * 10) / 10,
      ...callerFields(request),
    };
    request.log.info(line, "request");
  });
}

function callerFields(request: FastifyRequest) {
  const caller = callerOf(request);
  if (caller === undefined) return {};
  return { tenantId: caller.tenantId, accessKeyId: caller.accessKeyId };
}
