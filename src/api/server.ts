import { createServer as createTlsServer } from "node:https";
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from "fastify";
import { sendError } from "./plugins/problem-documents.js";
import { requestId } from "./plugins/request-log.js";

const BODY_LIMIT_BYTES = 64 * 1024;
const LONGEST_PATH_PARAMETER = 200;
/** For a client that sends its request a byte at a time. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Shorter than the daemon takes to stop, so that idle clients do not hold it up. */
const KEEP_ALIVE_MS = 5000;

/** PEM texts. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** An HTTP server without routes; HTTPS when there is a certificate. */
export function createServer(log: FastifyBaseLogger, tls: TlsPair | undefined): FastifyInstance {
  const common = {
    loggerInstance: log,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: "requestId",
    }),
    genReqId: requestId,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    routerOptions: { maxParamLength: LONGEST_PATH_PARAMETER },
    frameworkErrors: unroutable,
    exposeHeadRoutes: false,
    // Requests that are under way, or arrive on a connection being closed, are still answered.
    return503OnClosing: false,
  };
  if (tls === undefined) return fastify(common);
  return fastify({
    ...common,
    serverFactory: (handler) => {
      const server = createTlsServer({ cert: tls.cert, key: tls.key }, handler);
      server.requestTimeout = REQUEST_TIMEOUT_MS;
      server.keepAliveTimeout = KEEP_ALIVE_MS;
      return server;
    },
  });
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
