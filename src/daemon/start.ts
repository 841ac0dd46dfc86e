import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import { anyRefusal } from "../api/plugins/write-refusal.js";
import { buildApp } from "../app.js";
import type { Backend, BackendIdentity } from "../backends/backend.js";
import { createNoopBackend } from "../backends/noop/noop-backend.js";
import { holderText } from "../backends/ovs/fence/holder.js";
import { createOvsBackend } from "../backends/ovs/ovs-backend.js";
import { ovsdbAnswers } from "../backends/ovs/ovsdb.js";
import type { Config } from "../config.js";
import { createReconciler, type Reconciler } from "../reconcile/reconciler.js";
import type { ServiceContext } from "../services/context.js";
import { Credentials } from "../services/credentials/credentials.js";
import { explainFailure } from "../services/database-trouble.js";
import { endAbandonedClaims } from "../services/idempotency.js";
import { requireMatchingKey } from "../services/key-check.js";
import { SecretBox } from "../services/secrets.js";
import { startSweeper } from "../services/sweeper.js";
import { lockDataDir } from "../store/database/data-dir-lock.js";
import type { Database } from "../store/database/open.js";
import { type Installation, loadInstallation, rememberOvs } from "../store/installation.js";
import { banner, chooseBackend } from "./backend-choice.js";
import { openDatabasePatiently } from "./database.js";
import { Lifetime, once } from "./lifetime.js";
import { closeGracefully, listen, serverOptions } from "./listen.js";
import { noteInstallationId, operatorToken } from "./private-files.js";
import { switchRefusal } from "./switch-refusal.js";

export interface Daemon {
  readonly url: string;
  /** Drains and stops everything, and leaves the switch as it is. Never rejects. */
  stop(): Promise<void>;
}

export interface Surroundings {
  readonly log: Logger;
  /** Aborted when the start is to be given up. */
  readonly signal: AbortSignal;
  /** Shows a notice that must not be overlooked. */
  readonly announce: (text: string) => void;
}

/** Starts everything in order; what has been started is stopped again when a later step fails. */
export async function startDaemon(config: Config, surroundings: Surroundings): Promise<Daemon> {
  const lifetime = new Lifetime();
  const state = { stopping: false };
  const stop = once(async () => {
    state.stopping = true;
    await lifetime.end(surroundings.log);
  });
  try {
    const isStopping = () => state.stopping;
    const url = await startParts(config, surroundings, lifetime, isStopping);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  config: Config,
  surroundings: Surroundings,
  lifetime: Lifetime,
  isStopping: () => boolean,
): Promise<string> {
  const { log, signal } = surroundings;
  const server = await serverOptions(config);
  const lock = await lockDataDir(config.dataDir);
  lifetime.add("data directory lock", () => lock.release());
  const database = await openStore(config, surroundings, lifetime);
  signal.throwIfAborted();
  const installation = await loadInstallation(database.client);
  await noteInstallationId(config.dataDir, installation.installationId);
  const backend = await makeBackend(config, surroundings, database, installation);
  const reconciler = makeReconciler(config, log, database, backend);
  const stopReconciler = once(() => reconciler.stop());
  const context = await makeContext(config, database, reconciler);
  await loadCredentials(context, log);
  const version = await ownVersion();
  const { rateLimits } = config;
  const roles = { view: reconciler, reconciling: reconciler, tracing: reconciler };
  const parts = { context, ...roles, activity: reconciler };
  const writeRefusal = anyRefusal(() => switchRefusal(reconciler.fence()));
  const turns = { places: database.places, waitingPerTenant: config.waitingCallsPerTenant };
  const common = { log, explainFailure, isStopping, writeRefusal, rateLimits, turns };
  const app = await buildApp({ ...parts, ...common, version, server });
  lifetime.add("reconciler", stopReconciler);
  await reconciler.start();
  await endAbandonedClaims(context);
  const sweeper = startSweeper(context, log, () => writeRefusal() === undefined);
  lifetime.add("sweeper", () => sweeper.stop());
  // Together: requests that wait for a peering go on once the reconciler lets them.
  lifetime.add("HTTP", async () => {
    await Promise.all([closeGracefully(app), stopReconciler()]);
  });
  signal.throwIfAborted();
  return listen(app, config);
}

async function openStore(
  config: Config,
  { log, signal }: Surroundings,
  lifetime: Lifetime,
): Promise<Database> {
  const { databaseUrl, dataDir } = config;
  const database = await openDatabasePatiently({ databaseUrl, dataDir, log, signal });
  lifetime.add("database", () => database.close());
  return database;
}

async function makeBackend(
  config: Config,
  { log, announce }: Surroundings,
  database: Database,
  installation: Installation,
): Promise<Backend> {
  const { installationId, mark } = installation;
  const identity: BackendIdentity = { installationId, mark };
  const { kind, warning } = await chooseBackend({
    wanted: config.backend,
    remembered: installation.backend === "ovs",
    ovsdb: config.ovsdb,
    answers: ovsdbAnswers,
  });
  if (warning !== undefined) {
    announce(banner(warning));
    log.warn({ backend: kind }, warning.join(" "));
  }
  if (kind === "noop") return createNoopBackend(identity);
  await rememberOvs(database.client);
  const { ovsdb, ovsRundir: rundir, datapath, connectionsPerInterface, timeouts } = config;
  const settings = { ovsdb, rundir, datapath, connectionsPerInterface, timeouts };
  const holder = holderText(config.dataDir);
  return createOvsBackend({ ...settings, identity, holder, log });
}

function makeReconciler(
  { resyncSeconds, quotas }: Config,
  log: Logger,
  { client: db }: Database,
  backend: Backend,
): Reconciler {
  return createReconciler({ db, backend, log, clock, resyncSeconds, quotas });
}

async function makeContext(
  config: Config,
  { client: db }: Database,
  reconciler: Reconciler,
): Promise<ServiceContext> {
  const { dataDir, peeringExpirySeconds, quotas, eventRetention } = config;
  const secrets = await SecretBox.open(join(dataDir, "secret-key"));
  await requireMatchingKey(db, secrets);
  return {
    db,
    clock,
    peeringExpirySeconds,
    quotas,
    eventRetention,
    waker: reconciler,
    settlements: reconciler,
    secrets,
    credentials: new Credentials(db, secrets),
    operatorToken: await operatorToken(dataDir, config.operatorToken),
  };
}

async function loadCredentials({ credentials }: ServiceContext, log: Logger): Promise<void> {
  await credentials.reload();
  const { unreadable: keys } = credentials;
  if (keys > 0)
    log.warn({ keys }, "access keys whose stored secrets cannot be unsealed are refused");
}

function clock(): Date {
  return new Date();
}

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
