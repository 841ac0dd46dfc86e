import { randomInt, randomUUID } from "node:crypto";
import type { Backend, BackendIdentity, Outcome } from "../../../src/backends/backend.js";
import { SwitchNames } from "../../../src/backends/names.js";
import type { Exec } from "../../../src/backends/ovs/exec.js";
import { createOvsBackend } from "../../../src/backends/ovs/ovs-backend.js";
import type { IntentSlice, Scope } from "../../../src/domain/intent.js";
import type { Sandbox } from "../../support/sandbox.js";

const LIMIT_MS = 20_000;

/** An installation on a sandbox: its backend, and the doubts that it raised. */
export interface Installation {
  readonly backend: Backend;
  readonly identity: BackendIdentity;
  readonly names: SwitchNames;
  readonly doubts: Scope[];
  /** Plans and applies. */
  reconcile(intent: IntentSlice, fresh?: boolean): Promise<Outcome>;
  stop(): Promise<void>;
}

export async function install(
  sandbox: Pick<Sandbox, "ovsdb" | "rundir">,
  options: { readonly identity?: BackendIdentity; readonly exec?: Exec } = {},
): Promise<Installation> {
  const identity = options.identity ?? newIdentity();
  const { ovsdb, rundir } = sandbox;
  const log = { info: () => undefined, warn: () => undefined };
  const backend = createOvsBackend({
    ovsdb,
    rundir,
    datapath: "netdev",
    identity,
    log,
    ...(options.exec === undefined ? {} : { exec: options.exec }),
  });
  const doubts: Scope[] = [];
  await backend.start({ doubt: (scope) => doubts.push(scope) });
  return {
    backend,
    identity,
    names: new SwitchNames(identity.mark),
    doubts,
    reconcile: async (intent, fresh = false) => {
      const plan = await backend.plan(intent, { fresh });
      return backend.apply(plan);
    },
    stop: () => backend.stop(),
  };
}

export function newIdentity(): BackendIdentity {
  return { installationId: randomUUID(), mark: randomInt(1, 2 ** 24) };
}

/** An outcome in which nothing went wrong. */
export const ALL_WELL = { failedVpcs: new Map(), exchangeError: undefined };

/** Waits until a condition holds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not so within ${LIMIT_MS} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
