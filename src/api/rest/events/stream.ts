import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { DomainError } from "../../../domain/errors.js";
import type { Principal } from "../../../domain/principal.js";
import { authenticate } from "../../../services/authentication.js";
import type { ServiceContext } from "../../../services/context.js";
import { credentialEnd } from "../../../services/streams/credential-watch.js";
import { bearerToken, principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { eventStreamHeaders, eventStreamSchema } from "./schema.js";
import { eventStreamText } from "./server-sent.js";

/** How long a client that does not read is given to take the end of its stream. */
const LAST_READ_MS = 1000;
/** How long a silent stream goes on with a credential that is refused by now. */
const RECHECK_MS = 1000;

const MEDIA_TYPE = "text/event-stream";

const DESCRIPTION = `The items of the list as server-sent events, each named by its resource's type
and its action, such as \`vpc-peering.accept\`. Its id is for \`Last-Event-ID\`: a stream that is
resumed goes on without loss or repeat, or is refused with 410. When an older backup of the database
is restored underneath, the last event is \`gone\`, its data the problem document of that refusal.

A credential, a tenant and the daemon have only so many streams open: more are refused with 429
\`TooManyStreams\`.`;

export const eventStreamRoutes: RouteGroup = (scope, { streams }) => {
  const closing = closingSignal(scope);
  const querystring = eventStreamSchema;
  const headers = eventStreamHeaders;
  const { schema, ...place } = endpoint("streamEvents", { querystring, headers, response: {} });
  const response = {
    200: { description: "Success", content: { [MEDIA_TYPE]: { schema: z.string() } } },
  };
  typed(scope).route({
    ...place,
    schema: { ...schema, headers, querystring, description: DESCRIPTION, response },
    handler: async (request, reply) => {
      const lastSeen = request.headers["last-event-id"];
      const after = lastSeen === "" ? request.query.after : (lastSeen ?? request.query.after);
      if (request.method === "HEAD") {
        await streams.probe(principalOf(request), after);
        return sendText(reply, []);
      }
      const recheck = recheckOf(request.services, request);
      const signal = endOf(reply.raw, closing, recheck);
      const events = await streams.open(principalOf(request), { after, recheck, signal });
      return sendText(reply, eventStreamText(events));
    },
  });
};

function sendText(
  reply: FastifyReply,
  text: AsyncIterable<string> | Iterable<string>,
): FastifyReply {
  const headers = { "cache-control": "no-store", "x-accel-buffering": "no", connection: "close" };
  return reply.type(MEDIA_TYPE).headers(headers).send(Readable.from(text));
}

/** Aborted when the app begins to close, before it waits for its connections. */
function closingSignal(scope: FastifyInstance): AbortSignal {
  const closing = new AbortController();
  scope.addHook("preClose", async () => closing.abort());
  return closing.signal;
}

/**
 * Aborted when the client has gone, the app closes or the credential is refused. A client that does
 * not read is cut off then.
 */
function endOf(
  raw: ServerResponse,
  closing: AbortSignal,
  recheck: () => Promise<Principal | undefined>,
): AbortSignal {
  const gone = new AbortController();
  if (raw.destroyed) gone.abort();
  raw.once("close", () => gone.abort());
  const left = AbortSignal.any([gone.signal, closing]);
  const end = AbortSignal.any([left, credentialEnd(recheck, RECHECK_MS, left)]);
  end.addEventListener("abort", () => cutOff(raw), { once: true });
  return end;
}

function cutOff(raw: ServerResponse): void {
  if (raw.closed) return;
  const timer = setTimeout(() => raw.destroy(), LAST_READ_MS);
  raw.once("close", () => clearTimeout(timer));
}

/** Asks again who is calling, as if the request came now. */
function recheckOf(ctx: ServiceContext, request: FastifyRequest) {
  const token = bearerToken(request);
  return async (): Promise<Principal | undefined> => {
    try {
      return await authenticate(ctx, token);
    } catch (error) {
      if (error instanceof DomainError && error.code === "Unauthenticated") return undefined;
      throw error;
    }
  };
}
