import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { buildApp } from "../../../src/app.js";
import { createNoopBackend } from "../../../src/backends/noop/noop-backend.js";
import type { TenantRole } from "../../../src/domain/permissions.js";
import { DEFAULT_QUOTAS, type Quotas } from "../../../src/domain/quotas.js";
import { DEFAULT_EVENT_RETENTION } from "../../../src/domain/retention.js";
import { createReconciler } from "../../../src/reconcile/reconciler.js";
import type { ServiceContext } from "../../../src/services/context.js";
import { Credentials } from "../../../src/services/credentials/credentials.js";
import { KeyUses } from "../../../src/services/credentials/key-uses.js";
import { OperatorToken } from "../../../src/services/credentials/operator-token.js";
import { explainFailure } from "../../../src/services/database-trouble.js";
import { SecretBox } from "../../../src/services/secrets.js";
import { openDatabase } from "../../../src/store/database/open.js";
import { loadInstallation } from "../../../src/store/installation.js";
import type { FreshDatabase } from "../../support/databases.js";
import type { EventItem } from "./sse-client.js";

export const OPERATOR_TOKEN = "pbop_0123456789abcdef0123456789abcdef";

/** One life of an app on a database that outlives it, listening on a port of its own. */
export interface ListeningApp {
  readonly url: string;
  readonly context: ServiceContext;
  readonly server: FastifyInstance["server"];
  /** @throws Error when the answer is not a success */
  send<T>(token: string, method: string, path: string, body?: object): Promise<T>;
  stop(): Promise<void>;
}

const silent = { info() {}, warn() {}, error() {} };

/** @param quotas those that are not given are as by default */
export async function startApp(
  on: FreshDatabase,
  quotas: Partial<Quotas> = {},
): Promise<ListeningApp> {
  const database = await openDatabase({ ...on, log: silent });
  const { installationId, mark } = await loadInstallation(database.client);
  const backend = createNoopBackend({ installationId, mark });
  const db = database.client;
  const clock = () => new Date();
  const reconciler = createReconciler({ db, backend, log: silent, clock, resyncSeconds: 3600 });
  const secrets = await SecretBox.open(join(on.dataDir, "secret-key"));
  const context: ServiceContext = {
    db,
    clock,
    waker: reconciler,
    settlements: reconciler,
    secrets,
    credentials: new Credentials(db, secrets),
    keyUses: new KeyUses(),
    operatorToken: new OperatorToken(OPERATOR_TOKEN),
    peeringExpirySeconds: 604_800,
    quotas: { ...DEFAULT_QUOTAS, ...quotas },
    eventRetention: DEFAULT_EVENT_RETENTION,
  };
  const app = await buildApp({
    context,
    view: reconciler,
    reconciling: reconciler,
    tracing: reconciler,
    activity: reconciler,
    log: pino({ level: "silent" }),
    explainFailure,
    isStopping: () => false,
    writeRefusal: () => undefined,
    rateLimits: { perKey: 0, perTenant: 0 },
    turns: { places: database.places, waitingPerTenant: 1000 },
    version: "0.0.0-test",
  });
  await reconciler.start();
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const stop = async () => {
    await Promise.all([app.close(), reconciler.stop()]);
    await database.close();
  };
  return { url, context, server: app.server, send: sender(url), stop };
}

function sender(url: string): ListeningApp["send"] {
  return async <T>(token: string, method: string, path: string, body?: object) => {
    const response = await fetch(`${url}/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        connection: "close",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
}

export interface TenantKey {
  readonly tenantId: string;
  readonly keyId: string;
  readonly token: string;
}

export async function newTenant(app: ListeningApp, ...roles: TenantRole[]): Promise<TenantKey> {
  const { id } = await app.send<{ id: string }>(OPERATOR_TOKEN, "POST", "/tenants", { name: "t" });
  return newKey(app, id, ...roles);
}

export async function newKey(
  app: ListeningApp,
  tenantId: string,
  ...roles: TenantRole[]
): Promise<TenantKey> {
  const path = `/tenants/${tenantId}/access-keys`;
  const key = await app.send<{ id: string; token: string }>(OPERATOR_TOKEN, "POST", path, {
    roles,
  });
  return { tenantId, keyId: key.id, token: key.token };
}

export async function newVpc(app: ListeningApp, token: string, cidrBlock: string): Promise<string> {
  return (await app.send<{ id: string }>(token, "POST", "/vpcs", { cidrBlock })).id;
}

/** The newest thousand events that the token may see, or those that the query asks for. */
export async function listedEvents(
  app: ListeningApp,
  token: string,
  query = "",
): Promise<EventItem[]> {
  const path = `/events?limit=1000${query}`;
  return (await app.send<{ items: EventItem[] }>(token, "GET", path)).items;
}
