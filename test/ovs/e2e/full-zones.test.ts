import { afterAll, beforeAll, expect, it } from "vitest";
import { TRAITS } from "../../support/datapath.js";
import { peer, type TenantClient, waitFor } from "../../support/rest.js";
import { sendDatagrams } from "../backend/senders.js";
import { explainFailures } from "./diagnosis.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

const MOST = 40;
/** Of each of two callers: less than one may open, and together more than one may be called for. */
const CALLS = 30;
const PORT = 9;
const COUNT_LIMIT_MS = 10_000;

/** Of whose connections, and what is asked of the switch about them. */
interface Question {
  readonly of: Workload;
  readonly from: Workload;
  readonly to: Workload;
}

interface Reachability {
  readonly reachable: boolean;
  readonly stoppedBy?: string;
  readonly confirmedBySwitch: boolean;
  readonly drift: boolean;
}

let world: World;
let a: Site;
let b: Site;
let [victim, neighbour]: Workload[] = [];
let [first, second, third]: Workload[] = [];

beforeAll(async () => {
  world = await startWorld({ PATCHBAY_CONNECTIONS_PER_INTERFACE: String(MOST) });
  a = await world.site("a", "10.1.0.0/16", { "10.1.1.0/24": 2 });
  b = await world.site("b", "10.2.0.0/16", { "10.2.1.0/24": 3 });
  await peer(a, b, { accept: true });
  [victim, neighbour] = a.workloads;
  [first, second, third] = b.workloads;
});

explainFailures(() => world);

afterAll(() => world?.dispose());

function there(workload: Workload | undefined): Workload {
  if (workload === undefined) throw new Error("nobody is plugged in");
  return workload;
}

async function ask(tenant: TenantClient, from: Workload, to: Workload): Promise<Reachability> {
  const body = { from: from.eni.id, to: to.ip, protocol: "udp", port: PORT };
  return tenant.call("POST", "/reachability", body);
}

async function countOf(tenant: TenantClient, { eni }: Workload): Promise<number> {
  const path = `/network-interfaces/${eni.id}/drops`;
  const { reasons } = await tenant.get<{
    reasons: { connectionLimit: { packets: number } } | null;
  }>(path);
  return reasons?.connectionLimit.packets ?? 0;
}

/**
 * Repeats what opens connections until one is refused to an interface of A, which is then counted.
 * The kernel drops it before anything counts: there, what the interface would be told shows it.
 */
async function untilRefused(open: () => Promise<unknown>, question: Question): Promise<void> {
  const { countsRefusedConnections } = TRAITS[world.sandbox.datapath];
  const { of: full, from, to } = question;
  const before = await countOf(a.tenant, full);
  const isRefused = async () =>
    countsRefusedConnections
      ? (await countOf(a.tenant, full)) > before
      : (await ask(a.tenant, from, to)).stoppedBy === "connectionLimit";
  const attempt = async () => {
    await open();
    return isRefused();
  };
  await waitFor(attempt, COUNT_LIMIT_MS, "a connection that is refused");
  if (!countsRefusedConnections) expect(await countOf(a.tenant, full)).toBe(0);
}

/** Both peers open connections, each datagram one, until the victim may be called no more. */
function floodByPeers(): Promise<void> {
  const { ip } = there(victim);
  const callers = [there(first), there(second)];
  return untilRefused(
    () => Promise.all(callers.map(({ host }) => sendDatagrams(host, ip, PORT, CALLS))),
    { of: there(victim), from: there(neighbour), to: there(victim) },
  );
}

it("a flood by peers is counted as what it is, and leaves an interface its own calls", async () => {
  await floodByPeers();
  expect(await there(victim).connects(there(neighbour))).toBe(true);
  expect(await there(victim).connects(there(first))).toBe(true);
  await floodByPeers();
  expect(await there(neighbour).connects(there(victim))).toBe(false);
  expect(await there(neighbour).connects(there(first))).toBe(true);
});

it("a flood is what reachability stops at, as far as the asker may know", async () => {
  await floodByPeers();
  const near = await ask(a.tenant, there(neighbour), there(victim));
  const full = { reachable: false, confirmedBySwitch: true, drift: false };
  expect(near).toMatchObject({ ...full, stoppedBy: "connectionLimit" });
  expect(await ask(b.tenant, there(third), there(victim))).toMatchObject({
    ...full,
    stoppedBy: "farSide",
  });
  const open = { reachable: true, confirmedBySwitch: true };
  expect(await ask(a.tenant, there(victim), there(first))).toMatchObject(open);
});

it("who has opened all that it may is told so, and can be called", async () => {
  const caller = there(neighbour);
  await untilRefused(() => sendDatagrams(caller.host, there(first).ip, PORT, MOST + 1), {
    of: caller,
    from: caller,
    to: there(second),
  });
  expect(await ask(a.tenant, caller, there(second))).toMatchObject({
    reachable: false,
    stoppedBy: "connectionLimit",
    confirmedBySwitch: true,
  });
  expect(await caller.connects(there(second))).toBe(false);
  expect(await there(third).connects(caller)).toBe(true);
});
