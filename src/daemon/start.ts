import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { anyRefusal } from "../api/plugins/write-refusal.js";
import { buildApp } from "../app.js";
import type { Backend, BackendIdentity } from "../backends/backend.js";
import { createNoopBackend } from "../backends/noop/noop-backend.js";
import { holderText } from "../backends/ovs/fence/holder.js";
import { createOvsBackend } from "../backends/ovs/ovs-backend.js";
import type { Config } from "../config.js";
import { createReconciler, type Reconciler } from "../reconcile/reconciler.js";
import type { ServiceContext } from "../services/context.js";
import { Credentials } from "../services/credentials/credentials.js";
import { KeyUses } from "../services/credentials/key-uses.js";
import { OperatorToken } from "../services/credentials/operator-token.js";
import { explainFailure } from "../services/database-trouble.js";
import { endAbandonedClaims } from "../services/idempotency.js";
import { startSweeper } from "../services/sweeper.js";
import type { Database } from "../store/database/open.js";
import { banner, chooseBackend } from "./backend-choice.js";
import { databaseRefusal, followHold, onlyWhileHeld } from "./database-refusal.js";
import { writeLastKeyUses } from "./last-uses.js";
import { Lifetime, once } from "./lifetime.js";
import { closeGracefully, listen, serverOptions } from "./listen.js";
import { reloader } from "./reload.js";
import type { Consent } from "./state/judge.js";
import { type OpenedState, openState } from "./state/open-state.js";
import { switchAdmission } from "./state/switch-admission.js";
import { switchRefusal } from "./switch-refusal.js";

export interface Daemon {
  readonly url: string;
  /** Reads the operator's token and the certificate again. Never rejects. */
  reload(): Promise<void>;
  /** Drains and stops everything, and leaves the switch as it is. Never rejects. */
  stop(): Promise<void>;
}

export interface Surroundings {
  readonly log: Logger;
  /** Aborted when the start is to be given up. */
  readonly signal: AbortSignal;
  /** Shows a notice that must not be overlooked. */
  readonly announce: (text: string) => void;
  /** What the operator has agreed to on the command line. */
  readonly consent: Consent;
  /** Called when the daemon turns out, after its start, to be one that must not go on. */
  readonly fail: (error: Error) => void;
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
    const started = await startParts(config, surroundings, lifetime, isStopping);
    return { ...started, stop };
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
): Promise<Omit<Daemon, "stop">> {
  const { log, signal } = surroundings;
  const server = await serverOptions(config);
  const state = await openState(config, surroundings, lifetime);
  const { database } = state;
  const backend = await makeBackend(config, surroundings, state);
  const fenced = onlyWhileHeld(backend, state.hold);
  const reconciler = makeReconciler(config, log, database, fenced);
  const stopReconciler = once(() => reconciler.stop());
  const context = makeContext(config, state, reconciler);
  await loadCredentials(context, log);
  if (state.hold !== undefined)
    followHold(state.hold, backend, () => loadCredentials(context, log));
  const version = await ownVersion();
  const { rateLimits } = config;
  const roles = { view: reconciler, reconciling: reconciler, tracing: reconciler };
  const parts = { context, ...roles, activity: reconciler };
  const writeRefusal = anyRefusal(
    () => databaseRefusal(state.hold),
    () => switchRefusal(reconciler.fence()),
  );
  const turns = { places: database.places, waitingPerTenant: config.waitingCallsPerTenant };
  const common = { log, explainFailure, isStopping, writeRefusal, rateLimits, turns };
  const app = await buildApp({ ...parts, ...common, version, server });
  lifetime.add("reconciler", stopReconciler);
  await reconciler.start();
  await endAbandonedClaims(context);
  const mayWrite = () => writeRefusal() === undefined;
  lifetime.add("uses of access keys", async () => {
    if (mayWrite()) await writeLastKeyUses(context);
  });
  const sweeper = startSweeper(context, log, mayWrite);
  lifetime.add("sweeper", () => sweeper.stop());
  // Together: requests that wait for a peering go on once the reconciler lets them.
  lifetime.add("HTTP", async () => {
    await Promise.all([closeGracefully(app), stopReconciler()]);
  });
  signal.throwIfAborted();
  const url = await listen(app, config);
  const { operatorToken } = context;
  return { url, reload: reloader({ config, log, operatorToken, app }) };
}

async function makeBackend(
  config: Config,
  { log, announce, fail }: Surroundings,
  { installation, database, examination }: OpenedState,
): Promise<Backend> {
  const { installationId, mark } = installation;
  const identity: BackendIdentity = { installationId, mark };
  const { kind, warning } = chooseBackend({
    wanted: config.backend,
    remembered: installation.backend === "ovs",
    ovsdb: config.ovsdb,
    answers: examination.sawSwitch,
  });
  if (warning !== undefined) {
    announce(banner(warning));
    log.warn({ backend: kind }, warning.join(" "));
  }
  if (kind === "noop") return createNoopBackend(identity);
  const admit = await switchAdmission({ installation, db: database.client, examination, fail });
  const { ovsdb, ovsRundir: rundir, datapath, connectionsPerInterface, timeouts } = config;
  const settings = { ovsdb, rundir, datapath, connectionsPerInterface, timeouts };
  const holder = holderText(config.dataDir);
  return createOvsBackend({ ...settings, identity, holder, log, admit });
}

function makeReconciler(
  { resyncSeconds, quotas }: Config,
  log: Logger,
  { client: db }: Database,
  backend: Backend,
): Reconciler {
  return createReconciler({ db, backend, log, clock, resyncSeconds, quotas });
}

function makeContext(
  { peeringExpirySeconds, quotas, eventRetention }: Config,
  { database, secrets, operatorToken, hold }: OpenedState,
  reconciler: Reconciler,
): ServiceContext {
  const { client: db } = database;
  const roles = { waker: reconciler, settlements: reconciler };
  const credentials = new Credentials(db, secrets, () => hold?.state.kind === "another");
  const common = { db, clock, peeringExpirySeconds, quotas, eventRetention, secrets };
  return {
    ...common,
    ...roles,
    credentials,
    keyUses: new KeyUses(),
    operatorToken: new OperatorToken(operatorToken),
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
