import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { PROBLEMS, type ProblemCode, retryAfterSeconds } from "../problems/codes.js";
import { describeError, type ExplainFailure } from "../problems/describe.js";
import { PROBLEM_MEDIA_TYPE, type ProblemContent, problemDocument } from "../problems/problem.js";

declare module "fastify" {
  interface FastifyReply {
    /** The code of the problem that it tells of; undefined when it is another answer. */
    problemCode: ProblemCode | undefined;
  }
}

/** Answers every error, and every path that does not exist, with a problem document. */
export function problemDocuments(app: FastifyInstance, explain: ExplainFailure): void {
  app.decorateReply("problemCode", undefined);
  app.setErrorHandler((error, request, reply) => sendError(request, reply, error, explain));
  app.setNotFoundHandler(sendNothingThere);
}

export function sendNothingThere(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendNotFound(request, reply, `There is nothing at ${pathOf(request)}.`);
}

export function sendNotFound(
  request: FastifyRequest,
  reply: FastifyReply,
  detail: string,
): FastifyReply {
  return sendProblem(request, reply, { code: "NotFound", detail });
}

export function sendError(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  explain: ExplainFailure,
): FastifyReply {
  const content = describeError(error, explain);
  logServerError(error, request, content);
  return sendProblem(request, reply, content);
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  content: ProblemContent,
): FastifyReply {
  const problem = problemDocument(content, pathOf(request));
  if (problem.status === 401) reply.header("www-authenticate", 'Bearer realm="patchbay"');
  const unavailable = problem.status === 503 ? retryAfterSeconds(problem.code) : undefined;
  const retryAfter = content.retryAfterSeconds ?? unavailable;
  if (retryAfter !== undefined) reply.header("retry-after", retryAfter);
  reply.headers({ ...content.headers });
  reply.problemCode = content.code;
  // Serialised here: the response schema of the route is not the problem's.
  return reply.code(problem.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(problem));
}

function logServerError(error: unknown, request: FastifyRequest, content: ProblemContent): void {
  if (content.code === "InternalError") request.log.error({ err: error }, "request failed");
  else if (PROBLEMS[content.code][0] === 503) {
    request.log.warn({ err: error }, "request could not be served");
  }
}

/** Without the query. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? request.url;
}
