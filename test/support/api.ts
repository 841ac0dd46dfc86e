import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import type { RateLimits } from "../../src/api/limits/request-limits.js";
import type { WriteRefusal } from "../../src/api/plugins/write-refusal.js";
import type { QueueLimits } from "../../src/api/turns/fair-queue.js";
import { buildApp } from "../../src/app.js";
import type { Backend, Outcome, Plan } from "../../src/backends/backend.js";
import { createNoopBackend } from "../../src/backends/noop/noop-backend.js";
import type { TenantRole } from "../../src/domain/permissions.js";
import { DEFAULT_QUOTAS, type Quotas } from "../../src/domain/quotas.js";
import { DEFAULT_EVENT_RETENTION, type EventRetention } from "../../src/domain/retention.js";
import { createReconciler } from "../../src/reconcile/reconciler.js";
import type { ServiceContext } from "../../src/services/context.js";
import { Credentials } from "../../src/services/credentials/credentials.js";
import { KeyUses } from "../../src/services/credentials/key-uses.js";
import { OperatorToken } from "../../src/services/credentials/operator-token.js";
import { explainFailure } from "../../src/services/database-trouble.js";
import { SecretBox } from "../../src/services/secrets.js";
import { startSweeper } from "../../src/services/sweeper.js";
import { openDatabase } from "../../src/store/database/open.js";
import { loadInstallation } from "../../src/store/installation.js";
import type { databaseEngines } from "./databases.js";

export type Engine = (typeof databaseEngines)[number];

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The parsed JSON body; tests look into it by name. */
  readonly body: ReturnType<JSON["parse"]>;
}

export interface CallOptions {
  readonly headers?: Record<string, string>;
  /** Sent as it is. */
  readonly rawBody?: string;
}

export interface TenantKey {
  readonly tenantId: string;
  readonly keyId: string;
  readonly token: string;
}

export interface TestApi {
  readonly app: FastifyInstance;
  readonly context: ServiceContext;
  readonly operatorToken: string;
  /** What the app logged so far. */
  readonly logged: () => string;
  call(
    token: string | undefined,
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    url: string,
    body?: unknown,
    options?: CallOptions,
  ): Promise<Answer>;
  createTenantWithKey(...roles: TenantRole[]): Promise<TenantKey>;
  addKey(tenantId: string, ...roles: TenantRole[]): Promise<TenantKey>;
  /** A VPC with this block; answers its id. */
  createVpc(token: string, cidrBlock: string): Promise<string>;
  stop(): Promise<void>;
}

export interface TestApiOptions {
  /** What the daemon takes for the time; `TestClock` can be set. */
  readonly clock?: () => Date;
  /** Those that are not given are as by default. */
  readonly quotas?: Partial<Quotas>;
  readonly eventRetention?: EventRetention;
  /** Told of every statement at the database. */
  readonly onStatement?: (sql: string) => void;
  /** Requests a second; no limit unless told. */
  readonly rateLimits?: Partial<RateLimits>;
  readonly turns?: Partial<QueueLimits>;
  /** False: nothing expires or is forgotten but by the test's own calls. */
  readonly sweeping?: boolean;
  /** Why calls that change something are refused; never unless given. */
  readonly writeRefusal?: WriteRefusal;
  /** Stands before the backend: may hold a pass up, or let it come out otherwise. */
  readonly onApply?: (apply: () => Promise<Outcome>, plan: Plan) => Promise<Outcome>;
  /** Answers otherwise than the no-op backend. */
  readonly backend?: Partial<Pick<Backend, "kind" | "binding" | "dropsOf" | "surveyDrops">>;
}

export const PEERING_EXPIRY_SECONDS = 604_800;

const silent = { info() {}, warn() {}, error() {} };

/** The whole app on a fresh database of this engine, with the no-op backend and the reconciler. */
export async function startTestApi(engine: Engine, options: TestApiOptions = {}): Promise<TestApi> {
  const fresh = await engine.fresh();
  const { onStatement } = options;
  const database = await openDatabase({ ...fresh, log: silent, onStatement });
  const { installationId, mark } = await loadInstallation(database.client);
  const backend = Object.assign(createNoopBackend({ installationId, mark }), options.backend);
  applyThrough(backend, options.onApply);
  const { clock = () => new Date(), sweeping = true, writeRefusal = () => undefined } = options;
  const db = database.client;
  const quotas = { ...DEFAULT_QUOTAS, ...options.quotas };
  const resyncSeconds = 3600;
  const reconciler = createReconciler({ db, backend, log: silent, clock, resyncSeconds, quotas });
  const operatorToken = `pbop_${randomBytes(16).toString("hex")}`;
  const secrets = await SecretBox.open(join(fresh.dataDir, "secret-key"));
  const context: ServiceContext = {
    db,
    clock,
    waker: reconciler,
    settlements: reconciler,
    secrets,
    credentials: new Credentials(db, secrets),
    keyUses: new KeyUses(),
    operatorToken: new OperatorToken(operatorToken),
    peeringExpirySeconds: PEERING_EXPIRY_SECONDS,
    quotas,
    eventRetention: options.eventRetention ?? DEFAULT_EVENT_RETENTION,
  };
  const lines: string[] = [];
  const app = await buildApp({
    context,
    view: reconciler,
    reconciling: reconciler,
    tracing: reconciler,
    activity: reconciler,
    log: pino({ level: "trace" }, { write: (line: string) => void lines.push(line) }),
    explainFailure,
    isStopping: () => false,
    writeRefusal,
    rateLimits: { perKey: 0, perTenant: 0, ...options.rateLimits },
    turns: { places: database.places, waitingPerTenant: 1000, ...options.turns },
    version: "0.0.0-test",
  });
  await app.ready();
  await reconciler.start();
  const mayWrite = () => writeRefusal() === undefined;
  const sweeper = sweeping ? startSweeper(context, silent, mayWrite) : undefined;
  const stop = async () => {
    await Promise.all([app.close(), reconciler.stop()]);
    await sweeper?.stop();
    await database.close();
    await fresh.cleanup();
  };
  const call = caller(app);
  const logged = () => lines.join("");
  return { app, context, operatorToken, logged, call, stop, ...makers(call, operatorToken) };
}

function applyThrough(backend: Backend, onApply: TestApiOptions["onApply"]): void {
  if (onApply === undefined) return;
  const apply = backend.apply.bind(backend);
  backend.apply = (plan) => onApply(() => apply(plan), plan);
}

function caller(app: FastifyInstance): TestApi["call"] {
  return async (token, method, url, body, { headers = {}, rawBody } = {}) => {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await app.inject({
      method,
      url,
      headers: { ...json, ...bearer, ...headers },
      ...(payload !== undefined && { payload }),
    });
    const isJson = String(response.headers["content-type"] ?? "").includes("json");
    const { statusCode: status, headers: received } = response;
    return { status, headers: received, body: isJson ? response.json() : response.body };
  };
}

function makers(call: TestApi["call"], operatorToken: string) {
  const addKey = async (tenantId: string, ...roles: TenantRole[]): Promise<TenantKey> => {
    const path = `/v1/tenants/${tenantId}/access-keys`;
    const { status, body } = await call(operatorToken, "POST", path, { roles });
    if (status !== 201) throw new Error(`no access key: ${status} ${JSON.stringify(body)}`);
    return { tenantId, keyId: body.id, token: body.token };
  };
  const createTenantWithKey = async (...roles: TenantRole[]): Promise<TenantKey> => {
    const { status, body } = await call(operatorToken, "POST", "/v1/tenants", { name: "test" });
    if (status !== 201) throw new Error(`no tenant: ${status} ${JSON.stringify(body)}`);
    return addKey(body.id, ...roles);
  };
  const createVpc = async (token: string, cidrBlock: string): Promise<string> => {
    const { status, body } = await call(token, "POST", "/v1/vpcs", { cidrBlock });
    if (status !== 201) throw new Error(`no VPC: ${status} ${JSON.stringify(body)}`);
    return body.id;
  };
  return { addKey, createTenantWithKey, createVpc };
}
