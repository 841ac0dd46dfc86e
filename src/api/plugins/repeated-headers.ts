import type { FastifyInstance } from "fastify";
import { RequestInvalid } from "../problems/request-invalid.js";
import { REPEATED } from "../problems/wording.js";

/** Headers that mean one thing, and of which something is made here. */
const SINGLE: ReadonlySet<string> = new Set([
  "host",
  "authorization",
  "content-type",
  "idempotency-key",
  "last-event-id",
]);

/**
 * Refuses requests that say one thing twice: Node passes on the first of some headers and puts others
 * together to one that nobody has sent. To be called on the root.
 */
export function refuseRepeatedHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", async ({ raw }) => {
    const repeated = firstRepeated(raw.rawHeaders);
    if (repeated !== undefined) throw RequestInvalid.parameter("header", repeated, REPEATED);
  });
}

/** @param rawHeaders names and values in turn */
function firstRepeated(rawHeaders: readonly string[]): string | undefined {
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const single = names.filter((name) => SINGLE.has(name));
  return single.find((name, index) => single.indexOf(name) < index);
}
