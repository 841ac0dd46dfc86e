import type { FastifyInstance } from "fastify";
import { RequestInvalid } from "../problems/request-invalid.js";

/** RFC 9112, section 3.2: a request of HTTP/1.1 without a Host is refused. */
export function requireHost(app: FastifyInstance): void {
  app.addHook("onRequest", async ({ raw }) => {
    if (raw.httpVersion !== "1.1" || raw.headers.host !== undefined) return;
    throw RequestInvalid.parameter("header", "host", "a request of HTTP/1.1 needs a Host header");
  });
}
