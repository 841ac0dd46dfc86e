import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { acceptFields } from "./content-types.js";
import { pathOf, sendNothingThere, sendProblem } from "./problem-documents.js";

/** What a path may take. OPTIONS is answered for each that takes anything. */
const METHODS: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/**
 * Answers requests that no route takes, before anything of their body is read: 405 where the path
 * takes other methods, 404 where it takes none. `Allow` tells no more than the description, so it
 * needs no credential. To be called on the root, after requests are counted.
 */
export function answerUnrouted(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    if (!request.is404) return;
    const taken = methodsFor(app, request);
    if (taken.length === 0) return sendNothingThere(request, reply);
    reply.header("allow", [...taken, "OPTIONS"].join(", "));
    if (request.method === "OPTIONS") return reply.code(204).headers(acceptFields(taken)).send();
    return sendNotAllowed(request, reply, taken);
  });
}

function methodsFor(app: FastifyInstance, { method: asked, url }: FastifyRequest) {
  // RFC 9110, section 9.3.7: this asks about the server.
  if (asked === "OPTIONS" && url === "*") return METHODS;
  return METHODS.filter((method) => app.findRoute({ method, url }) !== null);
}

function sendNotAllowed(
  request: FastifyRequest,
  reply: FastifyReply,
  taken: readonly string[],
): FastifyReply {
  const detail = `${pathOf(request)} takes ${taken.join(", ")}, and not ${request.method}.`;
  return sendProblem(request, reply, { code: "MethodNotAllowed", detail });
}
