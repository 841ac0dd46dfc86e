import { afterAll, beforeAll, expect, it } from "vitest";
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
}, 90_000);

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

/** Both peers open connections, each datagram one, until the victim may be called no more. */
function floodByPeers(): Promise<void> {
  const before = countOf(a.tenant, there(victim));
  return waitFor(
    async () => {
      const callers = [there(first), there(second)];
      await Promise.all(
        callers.map(({ host }) => sendDatagrams(host, there(victim).ip, PORT, CALLS)),
      );
      return (await countOf(a.tenant, there(victim))) > (await before);
    },
    COUNT_LIMIT_MS,
    "a flood of connections that is refused",
  ).then(() => undefined);
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
  await waitFor(
    async () => {
      await sendDatagrams(caller.host, there(first).ip, PORT, MOST + 1);
      return (await countOf(a.tenant, caller)) > 0;
    },
    COUNT_LIMIT_MS,
    "a call too many",
  );
  expect(await ask(a.tenant, caller, there(second))).toMatchObject({
    reachable: false,
    stoppedBy: "connectionLimit",
    confirmedBySwitch: true,
  });
  expect(await caller.connects(there(second))).toBe(false);
  expect(await there(third).connects(caller)).toBe(true);
});
