import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { acceptFields } from "./content-types.js";
import { pathOf, sendNotFound, sendNothingThere, sendProblem } from "./problem-documents.js";

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
    if (taken.length === 0) return sendNoPath(app, request, reply);
    reply.header("allow", [...taken, "OPTIONS"].join(", "));
    if (request.method === "OPTIONS") return reply.code(204).headers(acceptFields(taken)).send();
    return sendNotAllowed(request, reply, taken);
  });
}

/** The slash of a block in a path is forgotten to be encoded by most who write one by hand. */
const BARE_BLOCK = /\/([0-9.]+)\/([0-9]+)$/;

function sendNoPath(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
  const path = pathOf(request);
  const meant = path.replace(BARE_BLOCK, "/$1%2F$2");
  if (meant === path || methodsFor(app, { method: request.method, url: meant }).length === 0) {
    return sendNothingThere(request, reply);
  }
  const detail = `There is nothing at ${path}: the slash of a block is written %2F, as in ${meant}.`;
  return sendNotFound(request, reply, detail);
}

function methodsFor(
  app: FastifyInstance,
  { method: asked, url }: Pick<FastifyRequest, "method" | "url">,
) {
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
