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
  const leftSignal = leftSignals(scope);
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
      const signal = endOf(reply.raw, leftSignal(reply.raw), recheck);
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

/**
 * For each stream a signal of its own, aborted when its client has gone or the app begins to close,
 * before it waits for its connections. One that all streams listen to would keep a trace of each.
 */
function leftSignals(scope: FastifyInstance): (raw: ServerResponse) => AbortSignal {
  const open = new Set<AbortController>();
  let isClosing = false;
  scope.addHook("preClose", async () => {
    isClosing = true;
    for (const each of open) each.abort();
  });
  return (raw) => {
    const left = new AbortController();
    if (raw.destroyed || isClosing) left.abort();
    else open.add(left);
    raw.once("close", () => {
      open.delete(left);
      left.abort();
    });
    return left.signal;
  };
}

/**
 * Aborted when the stream is left or the credential is refused. A client that does not read is cut
 * off then.
 */
function endOf(
  raw: ServerResponse,
  left: AbortSignal,
  recheck: () => Promise<Principal | undefined>,
): AbortSignal {
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
