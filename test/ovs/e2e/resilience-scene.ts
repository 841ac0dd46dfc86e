import { expect, vi } from "vitest";
import { patient } from "../../support/patience.js";
import { peer, waitFor } from "../../support/rest.js";
import { udpFrame } from "./frames.js";
import { exchangeOf, flowsOf } from "./switch-state.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

const REPAIR_LIMIT_MS = 20_000;
const LEAK = "leak";
const LIVE = "live";

/** Two peered VPCs, a stranger, and frames between all of them all the while. */
export interface Scene {
  readonly world: World;
  readonly a: Site;
  readonly b: Site;
  /** Peered with nobody, ever. */
  readonly stranger: Site;
  /** For peerings that come and go. */
  readonly guest: Site;
  readonly exchange: string;
  readonly peeringId: string;
}

/** Starts everything; unless told otherwise, the daemon compares with the switch once a second. */
export async function startScene(resyncSeconds = 1): Promise<Scene> {
  const world = await startWorld({ PATCHBAY_RESYNC_SECONDS: String(resyncSeconds) });
  try {
    const [a, b, stranger, guest] = await Promise.all([
      world.site("a", "10.1.0.0/16", { "10.1.1.0/24": 1 }),
      world.site("b", "10.2.0.0/16", { "10.2.1.0/24": 1 }),
      world.site("stranger", "10.3.0.0/16", { "10.3.1.0/24": 1 }),
      world.site("guest", "10.4.0.0/16", { "10.4.1.0/24": 1 }),
    ]);
    const { id } = await peer(a, b, { accept: true });
    const exchange = await exchangeOf(world.sandbox);
    const scene = { world, a, b, stranger, guest, exchange, peeringId: id };
    await startProbing(scene);
    return scene;
  } catch (error) {
    await world.dispose();
    throw error;
  }
}

/** The one workload of a site. */
export function only(site: Site): Workload {
  const [workload] = site.workloads;
  if (workload === undefined) throw new Error("a site without workloads");
  return workload;
}

/** What passes when all is well, and what never may: right for every MAC that could carry it. */
async function startProbing({ a, b, stranger }: Scene): Promise<void> {
  const [from, to, other] = [only(a), only(b), only(stranger)];
  const routers = await Promise.all([from, to, other].map((workload) => workload.routerMac()));
  const frame = (label: string, sender: Workload, mac: string, receiver: Workload) =>
    udpFrame(label, { from: sender.mac, to: mac }, { from: sender.ip, to: receiver.ip });
  const forbidden = (sender: Workload, receiver: Workload) =>
    [...routers, receiver.mac].map((mac) => frame(LEAK, sender, mac, receiver));
  await from.spray([frame(LIVE, from, await from.routerMac(), to), ...forbidden(from, other)]);
  await other.spray([...forbidden(other, from), ...forbidden(other, to)]);
}

/** The prober has been at work, and none of its frames got where they may not. */
export async function expectNoLeak({ a, b, stranger }: Scene): Promise<void> {
  const receivers = [a, b, stranger].map(only);
  expect(receivers.map((workload) => [workload.name, workload.seen(LEAK)])).toEqual(
    receivers.map((workload) => [workload.name, { count: 0 }]),
  );
  for (const sender of [a, stranger].map(only)) {
    const before = await sender.sprayed();
    const goesOn = async () => (await sender.sprayed()) > before;
    await waitFor(goesOn, REPAIR_LIMIT_MS, `${sender.name} to probe`);
  }
}

/** The prober's frames between peers arrive again, and so does everything else. */
export async function expectBack({ a, b }: Scene): Promise<void> {
  await expectTraffic(only(a), only(b));
  const arrived = only(b).seen(LIVE).count;
  await waitFor(() => only(b).seen(LIVE).count > arrived, REPAIR_LIMIT_MS, "the prober's frames");
}

/** A setting that is not as the daemon makes it. */
export interface Setting {
  readonly object: string;
  readonly setting: string;
  readonly found: string;
  readonly wanted: string | null;
}

export interface Report {
  readonly applied: boolean;
  readonly bridges: ReadonlyArray<{
    readonly bridge: string;
    readonly missing: readonly string[];
    readonly changed: readonly string[];
    readonly unexpected: readonly string[];
    readonly foreign: readonly string[];
    readonly settings: readonly Setting[];
    readonly error: string | null;
  }>;
}

/** @returns what separates the switch from intent at present, by the daemon's own reading */
export function dryRun({ operator }: Pick<World, "operator">): Promise<Report> {
  return operator.call("POST", "/data-plane/reconcile", { dryRun: true });
}

/** Waits until the switch is as intended. */
export async function expectInSync(world: World): Promise<void> {
  await vi.waitFor(
    async () => {
      const { bridges } = await dryRun(world);
      const drifted = bridges.filter(
        ({ missing, changed, unexpected }) => [...missing, ...changed, ...unexpected].length > 0,
      );
      expect(drifted).toEqual([]);
    },
    { timeout: patient(REPAIR_LIMIT_MS), interval: 100 },
  );
}

/** Waits until a bridge's flows are these again. */
export async function expectFlows(
  { world }: Scene,
  bridge: string,
  flows: readonly string[],
): Promise<void> {
  await vi.waitFor(
    async () => {
      expect(await flowsOf(world.sandbox, bridge)).toEqual(flows);
    },
    { timeout: patient(REPAIR_LIMIT_MS), interval: 50 },
  );
}

/** Traffic between two peers is back: ping and TCP, both ways. */
export async function expectTraffic(left: Workload, right: Workload): Promise<void> {
  const reaches = async (from: Workload, to: Workload) => {
    await waitFor(() => from.host.ping(to.ip), REPAIR_LIMIT_MS, `ping ${from.name}>${to.name}`);
    await waitFor(() => from.connects(to), REPAIR_LIMIT_MS, `TCP ${from.name}>${to.name}`);
  };
  await Promise.all([reaches(left, right), reaches(right, left)]);
}
