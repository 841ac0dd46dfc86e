import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { DomainError } from "../../../domain/errors.js";
import type { Principal } from "../../../domain/principal.js";
import { authenticate } from "../../../services/authentication.js";
import type { ServiceContext } from "../../../services/context.js";
import { ChangeBell, followEvents } from "../../../services/event-stream.js";
import { latestEventId } from "../../../services/events.js";
import { bearerToken, principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { eventStreamHeaders, eventStreamSchema } from "./schema.js";
import { eventStreamText } from "./server-sent.js";

/** How long a client that does not read is given to take the end of its stream. */
const LAST_READ_MS = 1000;

const MEDIA_TYPE = "text/event-stream";

const DESCRIPTION =
  "The items of the list as server-sent events, each named by its resource's type and its action, such as `vpc-peering.accept`. Its id is for `Last-Event-ID`: a stream that is resumed goes on without loss or repeat.";

export const eventStreamRoutes: RouteGroup = (scope, { context }) => {
  const bell = changeBell(scope);
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
      const caller = principalOf(request);
      const latest = await latestEventId(context, caller);
      const lastSeen = request.headers["last-event-id"];
      // 0 is an id to resume after: what an empty list answers as `nextAfter`.
      const after = lastSeen === "" ? request.query.after : (lastSeen ?? request.query.after);
      const signal = AbortSignal.any([closing, disconnection(reply, closing)]);
      const recheck = recheckOf(context, request);
      const options = { after: after ?? latest, recheck, bell, signal };
      return sendText(reply, eventStreamText(followEvents(context, caller, options)));
    },
  });
};

function sendText(reply: FastifyReply, text: AsyncIterable<string>): FastifyReply {
  const headers = { "cache-control": "no-store", "x-accel-buffering": "no", connection: "close" };
  return reply.type(MEDIA_TYPE).headers(headers).send(Readable.from(text));
}

/** Rings after every call of this scope that may have changed something. */
function changeBell(scope: FastifyInstance): ChangeBell {
  const bell = new ChangeBell();
  scope.addHook("onSend", async ({ method }) => {
    if (method !== "GET") bell.ring();
  });
  return bell;
}

/** Aborted when the app begins to close, before it waits for its connections. */
function closingSignal(scope: FastifyInstance): AbortSignal {
  const closing = new AbortController();
  scope.addHook("preClose", async () => closing.abort());
  return closing.signal;
}

/** Aborted when the client has gone; one that does not read is cut off when the app closes. */
function disconnection({ raw }: FastifyReply, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const cutOff = () => {
    const timer = setTimeout(() => raw.destroy(), LAST_READ_MS);
    raw.once("close", () => clearTimeout(timer));
  };
  closing.addEventListener("abort", cutOff, { once: true });
  raw.once("close", () => {
    closing.removeEventListener("abort", cutOff);
    gone.abort();
  });
  return gone.signal;
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
