import { randomInt, randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import {
  type Backend,
  BackendError,
  type BackendIdentity,
  type Outcome,
} from "../../../src/backends/backend.js";
import { SwitchNames } from "../../../src/backends/names.js";
import type { StageBundle } from "../../../src/backends/ovs/bundle.js";
import type { ConnectionTimeouts } from "../../../src/backends/ovs/ct/timeouts.js";
import type { Exec } from "../../../src/backends/ovs/exec.js";
import { holderText } from "../../../src/backends/ovs/fence/holder.js";
import { createOvsBackend } from "../../../src/backends/ovs/ovs-backend.js";
import type { IntentSlice, Scope } from "../../../src/domain/intent.js";
import { patient } from "../../support/patience.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";

const LIMIT_MS = patient(20_000);

export interface Suspicion {
  readonly bridge: string;
  readonly kind: string;
  readonly cookie?: string;
}

/** An installation on a sandbox: its backend, and the doubts that it raised. */
export interface Installation {
  readonly backend: Backend;
  readonly identity: BackendIdentity;
  readonly names: SwitchNames;
  readonly doubts: Scope[];
  /** What the switch has told that was not taken for the installation's own, by its log. */
  readonly suspicions: Suspicion[];
  /** Plans and applies. */
  reconcile(intent: IntentSlice, fresh?: boolean): Promise<Outcome>;
  stop(): Promise<void>;
}

export interface InstallOptions {
  readonly identity?: BackendIdentity;
  readonly holder?: string;
  readonly exec?: Exec;
  readonly timeouts?: ConnectionTimeouts;
  readonly stageBundle?: StageBundle;
  /** Hears what the backend logs; unless it listens, no bundle may be left to ovs-ofctl. */
  readonly hear?: (message: string) => void;
}

export async function install(
  sandbox: Pick<Sandbox, "ovsdb" | "rundir" | "datapath">,
  options: InstallOptions = {},
): Promise<Installation> {
  const identity = options.identity ?? newIdentity();
  const { ovsdb, rundir, datapath } = sandbox;
  const { hear = expectNoFallback, exec, stageBundle } = options;
  const suspicions: Suspicion[] = [];
  const note = (details: object, message: string) => {
    if (message.includes("is not ours")) suspicions.push(details as Suspicion);
    hear(message);
  };
  const log = { info: note, warn: note };
  const backend = createOvsBackend({
    ovsdb,
    rundir,
    datapath,
    identity,
    holder: options.holder ?? holderText("/tmp"),
    connectionsPerInterface: 1000,
    timeouts: options.timeouts ?? { tcpEstablished: 432_000, udpStream: 180, udpSingle: 30 },
    log,
    ...(exec === undefined ? {} : { exec }),
    ...(stageBundle === undefined ? {} : { stageBundle }),
  });
  const doubts: Scope[] = [];
  await backend.start({ doubt: (scope) => doubts.push(scope) });
  return {
    backend,
    identity,
    names: new SwitchNames(identity.mark),
    doubts,
    suspicions,
    reconcile: async (intent, fresh = false) => {
      const plan = await backend.plan(intent, { fresh });
      return backend.apply(plan);
    },
    stop: () => backend.stop(),
  };
}

/** What the tests of one file stand on. */
export interface Stage {
  sandbox: Sandbox;
  installation: Installation;
}

/** A private switch and an installation on it, for all tests of the file that calls this. */
export function stageForAll(): Stage {
  const stage = {} as Stage;
  beforeAll(async () => {
    stage.sandbox = await startSandbox();
    stage.installation = await install(stage.sandbox);
  });
  afterAll(async () => {
    await stage.installation.stop();
    await stage.sandbox.stop();
  });
  return stage;
}

export const FALLBACK = "a bundle is left to ovs-ofctl";

function expectNoFallback(message: string): void {
  if (message === FALLBACK) throw new Error(message);
}

export function newIdentity(): BackendIdentity {
  return { installationId: randomUUID(), mark: randomInt(1, 2 ** 24) };
}

/** An outcome in which nothing went wrong. */
export const ALL_WELL = { failedVpcs: new Map(), exchangeError: undefined };

/** Waits until a backend that is looking for its switch again has found it. */
export async function foundAgain(installation: Installation): Promise<void> {
  await eventually(() => reachesSwitch(installation));
}

/** Waits until a backend has lost its switch: a doubt alone may come of anything. */
export async function lost(installation: Installation): Promise<void> {
  await eventually(async () => !(await reachesSwitch(installation)));
}

export async function reachesSwitch({ backend }: Installation): Promise<boolean> {
  const nothing: IntentSlice = { scope: new Set(), generation: 1, vpcs: new Map(), peerings: [] };
  try {
    await backend.plan(nothing, { fresh: false });
    return true;
  } catch (error) {
    if (error instanceof BackendError) return false;
    throw error;
  }
}

/** Waits until so many bridges are watched: each that comes under watch is a doubt, told late. */
export async function watched({ backend }: Installation, bridges: number): Promise<void> {
  await eventually(() => backend.watchedBridges() === bridges);
}

/** Waits until a condition holds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not so within ${LIMIT_MS} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
