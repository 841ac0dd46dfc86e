import type { FastifyInstance } from "fastify";
import { sendProblem } from "./problem-documents.js";

/** What Node takes for it, and answers with 100. */
const CONTINUE = /(?:^|\W)100-continue(?:\W|$)/i;

/** RFC 9110, section 10.1.1: an expectation that cannot be met is refused; HTTP/1.0 has none. */
export function refuseExpectations(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    const { httpVersion, headers } = request.raw;
    const { expect } = headers;
    if (httpVersion !== "1.1" || expect === undefined || CONTINUE.test(expect)) return;
    const detail = "100-continue is the only expectation that can be met.";
    // Whether a body follows, only the client knows.
    reply.header("connection", "close");
    return sendProblem(request, reply, { code: "ExpectationFailed", detail });
  });
}
