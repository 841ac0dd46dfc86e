import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { type RateLimits, RequestLimits } from "./api/limits/request-limits.js";
import { createMetrics, type ReconcileActivity } from "./api/metrics.js";
import { admitRequests, requireCredential } from "./api/plugins/authentication.js";
import { requireJson } from "./api/plugins/content-types.js";
import { refuseExpectations } from "./api/plugins/expectations.js";
import { followCalls } from "./api/plugins/following.js";
import { requireHost } from "./api/plugins/host-header.js";
import { idempotencyKeys } from "./api/plugins/idempotency.js";
import { answerUnrouted } from "./api/plugins/methods.js";
import { openApi } from "./api/plugins/openapi.js";
import { pages } from "./api/plugins/pages.js";
import { problemDocuments } from "./api/plugins/problem-documents.js";
import { requireReadableQueries } from "./api/plugins/readable-queries.js";
import { rehearseCalls } from "./api/plugins/rehearsal.js";
import { refuseRepeatedHeaders } from "./api/plugins/repeated-headers.js";
import { requestLog } from "./api/plugins/request-log.js";
import { onlyTabledRoutes } from "./api/plugins/route-guard.js";
import { giveTurnsBack, takeTurns } from "./api/plugins/turns.js";
import { jsonBodies, schemaValidation } from "./api/plugins/validation.js";
import { refuseWrites, type WriteRefusal } from "./api/plugins/write-refusal.js";
import type { ExplainFailure } from "./api/problems/describe.js";
import { CursorCodec } from "./api/rest/cursor.js";
import type { RestDeps } from "./api/rest/endpoint.js";
import { restRoutes } from "./api/rest/index.js";
import { healthRoutes } from "./api/rest/system/health.js";
import { metricsRoute } from "./api/rest/system/metrics.js";
import { openapiRoute } from "./api/rest/system/openapi.js";
import { closeWhenStopping, createServer, type ServerOptions } from "./api/server.js";
import type { Queues } from "./api/turns/call-turn.js";
import { FairQueue, type QueueLimits } from "./api/turns/fair-queue.js";
import { streamTurns } from "./api/turns/stream-turns.js";
import type { DataPlaneView, Reconciling } from "./domain/data-plane.js";
import type { Tracing } from "./domain/reachability/trace.js";
import { authenticate } from "./services/authentication.js";
import type { ServiceContext } from "./services/context.js";
import { databaseHealth } from "./services/health.js";
import { EventStreams } from "./services/streams/streams.js";

export interface AppDeps {
  readonly context: ServiceContext;
  readonly view: DataPlaneView;
  readonly reconciling: Reconciling;
  readonly tracing: Tracing;
  readonly activity: ReconcileActivity;
  readonly log: FastifyBaseLogger;
  /** What failures of the layers below mean for a caller, such as a database that is away. */
  readonly explainFailure: ExplainFailure;
  readonly isStopping: () => boolean;
  readonly writeRefusal: WriteRefusal;
  readonly rateLimits: RateLimits;
  /** How many calls work with the database at the same time, and how many wait for that. */
  readonly turns: QueueLimits;
  readonly version: string;
  /** Plain HTTP, with the usual limits and no proxies, unless told otherwise. */
  readonly server?: Partial<ServerOptions>;
}

/** The whole HTTP side of the daemon; tests use the same one. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const app = createServer(deps.log, deps.server ?? {});
  onlyTabledRoutes(app);
  problemDocuments(app, deps.explainFailure);
  schemaValidation(app);
  jsonBodies(app);
  requireJson(app);
  requestLog(app);
  closeWhenStopping(app, deps.isStopping);
  const limits = new RequestLimits(deps.rateLimits);
  admitRequests(app, (token) => authenticate(deps.context, token), limits);
  requireHost(app);
  refuseRepeatedHeaders(app);
  refuseExpectations(app);
  requireReadableQueries(app);
  answerUnrouted(app);
  const queues = queuesFor(deps.turns);
  const metrics = createMetrics(app, deps.view, deps.activity, queues.database);
  await openApi(app, deps.version);
  await pages(app);
  await app.register(async (scope) => {
    const { context, activity, isStopping, writeRefusal } = deps;
    healthRoutes(scope, {
      databaseHealth: databaseHealth(context.db, deps.log),
      switchError: () => activity.switchError,
      backend: deps.view.backend,
      writeRefusal,
      isStopping,
    });
    metricsRoute(scope, metrics);
    openapiRoute(scope);
  });
  await app.register(async (scope) => {
    requireCredential(scope);
    refuseWrites(scope, deps.writeRefusal);
    takeTurns(scope, queues);
    rehearseCalls(scope, deps.context);
    followCalls(scope, deps.view);
    idempotencyKeys(scope, deps.context);
    giveTurnsBack(scope);
    const rest = restDeps(deps, queues);
    for (const register of restRoutes) register(scope, rest);
  });
  return app;
}

/** What is asked of the switch costs it a program or a walk through the flows each. */
const PLACES_AT_SWITCH = 4;

function queuesFor(turns: QueueLimits): Queues {
  const { waitingPerTenant } = turns;
  return {
    database: new FairQueue(turns),
    atSwitch: new FairQueue({ places: PLACES_AT_SWITCH, waitingPerTenant }),
  };
}

function restDeps(
  { context, view, reconciling, tracing, log }: AppDeps,
  { database }: Queues,
): RestDeps {
  const cursors = new CursorCodec(context.secrets.derive("cursor"));
  const streams = new EventStreams(context, { log, turns: streamTurns(database) });
  return { view, reconciling, tracing, cursors, streams };
}
