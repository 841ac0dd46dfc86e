import { createServer as createHttpServer, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from "fastify";
import type { Cidr } from "../domain/cidr.js";
import { isProxy } from "../domain/clients.js";
import { type ConnectionLimits, USUAL_LIMITS } from "./connections/limits.js";
import { oneAtATime } from "./connections/one-at-a-time.js";
import { refuse } from "./connections/refusal.js";
import { ConnectionWatch } from "./connections/watch.js";
import { sendError } from "./plugins/problem-documents.js";
import { requestId } from "./plugins/request-log.js";

const BODY_LIMIT_BYTES = 64 * 1024;
const LONGEST_PATH_PARAMETER = 200;

declare module "fastify" {
  interface FastifyInstance {
    readonly connections: ConnectionWatch;
  }
}

/** PEM texts. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

export interface ServerOptions {
  /** Plain HTTP without it. */
  readonly tls: TlsPair | undefined;
  readonly limits: ConnectionLimits;
  /** Who is believed about whom a request comes from, and may have any number of connections. */
  readonly trustedProxies: readonly Cidr[];
}

/** An HTTP server without routes; HTTPS when there is a certificate. */
export function createServer(
  log: FastifyBaseLogger,
  options: Partial<ServerOptions>,
): FastifyInstance {
  const { tls, limits = USUAL_LIMITS, trustedProxies = [] } = options;
  const trustProxy = (address: string) => isProxy(trustedProxies, address);
  const server = nodeServer(tls, limits);
  const now = () => performance.now();
  const connections = new ConnectionWatch(server, { limits, isProxy: trustProxy, now });
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: "requestId",
    }),
    genReqId: requestId,
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: trustedProxies.length > 0 && trustProxy,
    routerOptions: { maxParamLength: LONGEST_PATH_PARAMETER },
    frameworkErrors: unroutable,
    // Requests that are under way, or arrive on a connection being closed, are still answered.
    return503OnClosing: false,
    serverFactory: (handler) => server.on("request", oneAtATime(handler)),
    clientErrorHandler: (error, socket) => {
      const connection = connections.of(socket);
      if (connection === undefined) socket.destroy();
      else refuse(error, connection, limits.lingerMs);
    },
  });
  server.on("error", (error) => {
    // A connection that could not be accepted; whoever listens is told of his own failure.
    if (server.listening) log.error({ err: error }, "a connection could not be accepted");
  });
  app.decorate("connections", connections);
  return app;
}

/** The one place where Node's server is made, so that both kinds are alike. */
function nodeServer(tls: TlsPair | undefined, limits: ConnectionLimits): Server {
  const options = {
    headersTimeout: limits.headerMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.sweepMs,
    // As plain HTTP has it: one who has said his last word may still be answered.
    allowHalfOpen: true,
    // Refused by a hook, with a problem document.
    requireHostHeader: false,
  };
  const server =
    tls === undefined
      ? createHttpServer(options)
      : createHttpsServer({ ...options, ...tls, handshakeTimeout: limits.handshakeMs });
  // Refused by a hook, too, so that it is counted as every other request.
  return server.on("checkExpectation", (...exchange) => server.emit("request", ...exchange));
}

/** Lets go of every client as soon as it has its answer, from the moment the daemon is to stop. */
export function closeWhenStopping(app: FastifyInstance, isStopping: () => boolean): void {
  app.addHook("onSend", async (_request, reply) => {
    if (isStopping()) reply.header("connection", "close");
  });
}

/** Paths that cannot be read; these requests pass no hook and no error handler. */
async function unroutable(
  error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  reply.header("x-request-id", request.id);
  const answered = await request.server.admit(request).then(
    () => error,
    (refusal: unknown) => refusal,
  );
  sendError(request, reply, answered, () => undefined);
}
