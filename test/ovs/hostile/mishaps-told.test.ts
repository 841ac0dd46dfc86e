import { afterAll, beforeAll, expect, it } from "vitest";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { type NetworkInterface, waitFor } from "../../support/rest.js";
import { explainFailures } from "../e2e/diagnosis.js";
import { dryRun, type Report, type Setting } from "../e2e/resilience-scene.js";
import { exchangeOf } from "../e2e/switch-state.js";
import { type Site, startWorld, type World } from "../e2e/world.js";

const LIMIT_MS = 10_000;

interface StoredEvent {
  readonly id: number;
  readonly resource: { readonly id: string };
  readonly action: string;
  readonly before: string | null;
  readonly after: string | null;
}

interface Shown {
  readonly bridge: string;
  readonly lastError: string | null;
  readonly settings: readonly Setting[];
}

let world: World;
let a: Site;
let exchange: string;

beforeAll(async () => {
  world = await startWorld({ PATCHBAY_RESYNC_SECONDS: "3600" });
  a = await world.site("a", "10.1.0.0/16", { "10.1.1.0/24": 2 });
  exchange = await exchangeOf(world.sandbox);
});

explainFailures(() => world);

afterAll(() => world?.dispose());

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${world.daemon.url}/metrics`)).text();
  return Number(new RegExp(`^patchbay_${name} (\\S+)$`, "m").exec(text)?.[1]);
}

function untilMetric(name: string, value: number): Promise<unknown> {
  return waitFor(async () => (await metric(name)) === value, LIMIT_MS, `${name} ${value}`);
}

async function events(action: string): Promise<StoredEvent[]> {
  const { items } = await world.operator.get<{ items: StoredEvent[] }>("/events?limit=1000");
  return items.filter((event) => event.action === action);
}

async function shown(bridge: string): Promise<Shown | undefined> {
  const { bridges } = await world.operator.get<{ bridges: Shown[] }>("/data-plane");
  return bridges.find((each) => each.bridge === bridge);
}

function reconcile(): Promise<Report> {
  return world.operator.call("POST", "/data-plane/reconcile");
}

it("what was put right is an event, and counted", async () => {
  const counted = await metric("reconcile_drift_total");
  const before = (await events("repair")).length;
  await world.sandbox.vsctl("set", "Bridge", a.vpc.bridge, "stp_enable=true");
  const [event] = await waitFor(
    async () => {
      const found = (await events("repair")).slice(before);
      return found.length > 0 && found;
    },
    LIMIT_MS,
    "the event",
  );
  expect(event).toMatchObject({ resource: { id: a.vpc.bridge }, after: "programmed" });
  expect(event?.before).toContain(`bridge ${a.vpc.bridge} stp_enable=true (wanted false)`);
  expect(await metric("reconcile_drift_total")).toBe(counted + 1);
  expect((await shown(a.vpc.bridge))?.settings).toEqual([]);
});

it("what is only reported is told of once, and for as long as it is there", async () => {
  const { sandbox } = world;
  await sandbox.vsctl("set", "Bridge", exchange, "other_config:forward-bpdu=true");
  await untilMetric("foreign_settings", 1);
  const found = {
    object: `bridge ${exchange}`,
    setting: "other_config:forward-bpdu",
    found: "true",
    wanted: null,
  };
  expect((await shown(exchange))?.settings).toEqual([found]);
  const reports = [await reconcile(), await dryRun(world)];
  expect(reports.map(({ applied }) => applied)).toEqual([true, false]);
  for (const { bridges } of reports) {
    expect(bridges.flatMap(({ settings }) => settings)).toEqual([found]);
  }
  const appeared = await events("foreign-settings-appear");
  expect(appeared.map(({ resource, after }) => [resource.id, after])).toEqual([
    [exchange, `bridge ${exchange} other_config:forward-bpdu=true`],
  ]);
  await sandbox.vsctl("remove", "Bridge", exchange, "other_config", "forward-bpdu");
  await untilMetric("foreign_settings", 0);
  const hasVanished = async () => (await events("foreign-settings-vanish")).length === 1;
  await waitFor(hasVanished, LIMIT_MS, "the event");
});

it("an interface says so while a setting stops its packets", async () => {
  const { sandbox } = world;
  const [one, two] = a.workloads;
  const eni = one?.eni.id ?? "";
  const read = () => a.tenant.get<NetworkInterface>(`/network-interfaces/${eni}`);
  const until = (state: string) =>
    waitFor(async () => (await read()).dataPlane.state === state, LIMIT_MS, state);
  await until("programmed");
  for (const each of [one, two]) {
    await sandbox.vsctl("set", "Port", each?.host.port ?? "", "protected=true");
  }
  await until("error");
  expect((await read()).dataPlane.message).toMatch(/port is protected/);
  expect(await one?.host.ping(two?.ip ?? "")).toBe(false);
  expect((await shown(a.vpc.bridge))?.settings.map(({ setting }) => setting)).toEqual([
    "protected",
    "protected",
  ]);
  for (const each of [one, two]) {
    await sandbox.vsctl("set", "Port", each?.host.port ?? "", "protected=false");
  }
  await until("programmed");
  const passes = async () => one?.host.ping(two?.ip ?? "") ?? false;
  await waitFor(passes, LIMIT_MS, "packets between them");
});

it("what was not done is not called applied, and the reason is at the bridge", async () => {
  const { sandbox } = world;
  const { bridge } = a.vpc;
  const { number } = VPC_TABLES.egressTrack;
  const table = ["--id=@t", "create", "Flow_Table", "flow_limit=1"];
  await sandbox.vsctl(...table, "--", "set", "Bridge", bridge, `flow_tables:${number}=@t`);
  await sandbox.ofctl("del-flows", bridge);
  const report = await reconcile();
  expect(report.applied).toBe(false);
  const found = report.bridges.find((each) => each.bridge === bridge);
  expect(found?.error).toMatch(/refuses/);
  expect(found?.missing.length).toBeGreaterThan(0);
  expect((await shown(bridge))?.lastError).toMatch(/refuses/);
  await sandbox.vsctl("clear", "Bridge", bridge, "flow_tables");
  const isWell = async () => (await shown(bridge))?.lastError === null;
  await waitFor(isWell, LIMIT_MS, "the bridge to be as intended");
  expect((await reconcile()).applied).toBe(true);
});

it("a bridge that cannot be looked at is in the report, with the reason", async () => {
  const { tenant } = a;
  const before = (await dryRun(world)).bridges.length;
  const vpc = await tenant.vpc("10.9.0.0/16");
  const count = async () => (await dryRun(world)).bridges.length === before + 1;
  await waitFor(count, LIMIT_MS, `the bridge of ${vpc.id}`);
  const { sandbox } = world;
  await sandbox.vsctl("del-br", vpc.bridge, "--", "add-br", vpc.bridge);
  const failing = await waitFor(
    async () => {
      const found = (await dryRun(world)).bridges.find((each) => each.bridge === vpc.bridge);
      return found?.error != null && found;
    },
    LIMIT_MS,
    "the error",
  );
  expect(failing.error).toMatch(/does not belong to this installation/);
  await untilMetric("bridges_unread", 1);
  await sandbox.vsctl("del-br", vpc.bridge);
  await untilMetric("bridges_unread", 0);
});
