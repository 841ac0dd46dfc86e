import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { type Peering, peer, type RestClient, waitFor } from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import { dryRun } from "./resilience-scene.js";
import { exchangeOf, flowsOf } from "./switch-state.js";
import { type Site, startWorld, type World } from "./world.js";

/** Far below an hour, which is when the next resync is due. */
const LIMIT_MS = 5000;

interface StoredEvent {
  readonly id: number;
  readonly actor: { readonly kind: string };
  readonly resource: { readonly type: string; readonly id: string };
  readonly action: string;
  readonly before: string | null;
  readonly after: string | null;
}

let world: World;
let a: Site;
let b: Site;
let guest: Site;
let exchange: string;

beforeAll(async () => {
  world = await startWorld({ PATCHBAY_RESYNC_SECONDS: "3600" });
  [a, b, guest] = await Promise.all([
    world.site("a", "10.1.0.0/16", { "10.1.1.0/24": 1 }),
    world.site("b", "10.2.0.0/16", { "10.2.1.0/24": 1 }),
    world.site("guest", "10.3.0.0/16", {}),
  ]);
  await peer(a, b, { accept: true });
  exchange = await exchangeOf(world.sandbox);
  await waitFor(async () => (await metric("bridges_watched")) === 4, LIMIT_MS, "the watch");
});

explainFailures(() => world);

afterAll(() => world?.dispose());

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${world.daemon.url}/metrics`)).text();
  return Number(new RegExp(`^patchbay_${name} (\\S+)$`, "m").exec(text)?.[1]);
}

async function eventsOf(client: RestClient, after = 0): Promise<StoredEvent[]> {
  const path = `/events?after=${after}&limit=1000`;
  return (await client.get<{ items: StoredEvent[] }>(path)).items;
}

async function lastEvent(): Promise<number> {
  return (await eventsOf(world.operator)).at(-1)?.id ?? 0;
}

async function bridgeEvents(after: number, action: string): Promise<StoredEvent[]> {
  const events = await eventsOf(world.operator, after);
  return events.filter(({ resource, action: done }) => {
    return resource.type === "bridge" && done === action;
  });
}

function untilFlows(bridge: string, flows: readonly string[]): Promise<true> {
  const isBack = async () => {
    return JSON.stringify(await flowsOf(world.sandbox, bridge)) === JSON.stringify(flows);
  };
  return waitFor(async () => (await isBack()) && (true as const), LIMIT_MS, `flows of ${bridge}`);
}

const ROUTE = VPC_TABLES.route.number;
const BRIDGES = ["requester", "accepter", "exchange"] as const;

function bridgeOf(role: (typeof BRIDGES)[number]): string {
  return { requester: a.vpc.bridge, accepter: b.vpc.bridge, exchange }[role];
}

describe.each(BRIDGES)("on the bridge of the %s", (role) => {
  const damages = {
    deleted: (bridge: string) => world.sandbox.ofctl("del-flows", bridge),
    altered: (bridge: string) => {
      const table = role === "exchange" ? 0 : ROUTE;
      return world.sandbox.ofctl("mod-flows", bridge, `table=${table},ip,actions=drop`);
    },
    added: async (bridge: string) => {
      const [flow = ""] = await flowsOf(world.sandbox, bridge);
      const cookie = /cookie=0x[0-9a-f]+/.exec(flow)?.[0];
      await world.sandbox.ofctl("add-flow", bridge, `${cookie},priority=999,udp,actions=normal`);
    },
  };

  it.each(["deleted", "altered", "added"] as const)(
    "flows that are %s are put right at once, counted, logged and told of",
    async (kind) => {
      const bridge = bridgeOf(role);
      const flows = await flowsOf(world.sandbox, bridge);
      const [counted, after] = [await metric("reconcile_drift_total"), await lastEvent()];
      const logged = world.daemon.log().length;
      await damages[kind](bridge);
      await untilFlows(bridge, flows);

      const events = await waitFor(
        async () => {
          const found = await bridgeEvents(after, "repair");
          return found.length > 0 && found;
        },
        LIMIT_MS,
        "the event",
      );
      expect(events[0]).toMatchObject({
        actor: { kind: "system" },
        resource: { type: "bridge", id: bridge },
        after: "programmed",
      });
      expect(events[0]?.before).toMatch(new RegExp(`[1-9]\\d* ${kind}`));
      expect(await metric("reconcile_drift_total")).toBeGreaterThan(counted);
      const lines = world.daemon.log().slice(logged).split("\n");
      const line = lines.find((each) => each.includes("had drifted from intent"));
      expect(line).toContain(bridge);
      expect(line).toMatch(/priority=\d+/);
    },
  );
});

it("flows of somebody else raise an alarm once, stay, and are told of when they go", async () => {
  const bridge = a.vpc.bridge;
  const after = await lastEvent();
  await world.sandbox.ofctl("add-flow", bridge, "cookie=0x42,priority=1,in_port=4711,actions=drop");
  await waitFor(async () => (await metric("foreign_flows")) === 1, LIMIT_MS, "the metric");
  await world.operator.call("POST", "/data-plane/reconcile");
  await dryRun(world);
  const appeared = await bridgeEvents(after, "foreign-flows-appear");
  expect(appeared).toHaveLength(1);
  expect(appeared[0]).toMatchObject({ resource: { id: bridge }, before: null });
  expect(appeared[0]?.after).toMatch(/cookie=0x42, .*in_port=4711 actions=drop/);
  expect((await flowsOf(world.sandbox, bridge)).join()).toContain("in_port=4711");
  expect(world.daemon.log()).toContain("flows on our bridge are not ours");

  await world.sandbox.ofctl("del-flows", bridge, "cookie=0x42/-1");
  await waitFor(async () => (await metric("foreign_flows")) === 0, LIMIT_MS, "the metric");
  const vanished = await waitFor(
    async () => (await bridgeEvents(after, "foreign-flows-vanish"))[0],
    LIMIT_MS,
    "the event",
  );
  expect(vanished).toMatchObject({ resource: { id: bridge }, after: null });
  expect(await bridgeEvents(after, "repair")).toEqual([]);
});

it("no tenant hears of any of this", async () => {
  for (const { tenant } of [a, b, guest]) {
    const events = await eventsOf(tenant);
    expect(events.length).toBeGreaterThan(0);
    expect(events.filter(({ resource }) => resource.type === "bridge")).toEqual([]);
    expect(JSON.stringify(events)).not.toContain(exchange);
  }
});

it("what is done while peerings are accepted and deleted is found just the same", async () => {
  const expected = new Map<string, string[]>();
  for (const bridge of [a.vpc.bridge, b.vpc.bridge, exchange]) {
    expected.set(bridge, await flowsOf(world.sandbox, bridge));
  }
  const counted = await metric("reconcile_drift_total");
  let done = false;
  const meddling = (async () => {
    for (let turn = 0; !done; turn += 1) {
      const bridge = bridgeOf(BRIDGES[turn % 3] ?? "exchange");
      const damage = [
        ["del-flows", bridge],
        ["mod-flows", bridge, `table=${bridge === exchange ? 0 : ROUTE},ip,actions=drop`],
        ["--strict", "del-flows", bridge, "table=0,priority=0"],
      ][Math.floor(turn / 3) % 3];
      const seen = await metric("reconcile_drift_total");
      await world.sandbox.ofctl(...(damage ?? []));
      const isSeen = async () => done || (await metric("reconcile_drift_total")) > seen;
      await waitFor(isSeen, LIMIT_MS, `drift on ${bridge}`);
    }
  })();
  for (let round = 0; round < 20; round += 1) {
    const { id } = await guest.tenant.requestPeering(guest.vpcId, b);
    await b.tenant.acceptPeering(id, 10);
    const settled = async (state: string) => {
      return (await b.tenant.get<Peering>(`/vpc-peerings/${id}`)).state === state;
    };
    await waitFor(() => settled("active"), LIMIT_MS, "active");
    await b.tenant.deletePeering(id, 10);
    await waitFor(() => settled("deleted"), LIMIT_MS, "deleted");
  }
  done = true;
  await meddling;
  for (const [bridge, flows] of expected) await untilFlows(bridge, flows);
  const report = await dryRun(world);
  expect(report.bridges.flatMap((each) => [...each.missing, ...each.changed])).toEqual([]);
  expect(await metric("reconcile_drift_total")).toBeGreaterThan(counted + 100);
});

it("a switch that was restarted is watched again", async () => {
  const flows = await flowsOf(world.sandbox, a.vpc.bridge);
  await world.sandbox.killVswitchd();
  await world.sandbox.startAgain();
  await untilFlows(a.vpc.bridge, flows);
  await waitFor(async () => (await metric("bridges_watched")) === 4, LIMIT_MS, "the watch");
  await world.sandbox.ofctl("del-flows", a.vpc.bridge);
  expect(await untilFlows(a.vpc.bridge, flows)).toBe(true);
});
