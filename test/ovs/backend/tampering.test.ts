import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { PlannedBridge } from "../../../src/backends/backend.js";
import { peeringIntent, scopeOf, slice, vpcIntent } from "../../support/intents.js";
import { type Sandbox, startSandbox, uniqueName } from "../../support/sandbox.js";
import {
  ALL_WELL,
  eventually,
  type Installation,
  install,
  newIdentity,
  watched,
} from "./fixture.js";

const PEERING = peeringIntent(1, 1, 2);
const VPCS = [vpcIntent(1, 1), vpcIntent(2, 1)];
const EVERYTHING = slice("all", VPCS, [PEERING]);
const FOREIGN = "table=0,priority=7,cookie=0x77,udp,tp_dst=99,actions=drop";

let sandbox: Sandbox;
let installation: Installation;

beforeAll(async () => {
  sandbox = await startSandbox();
  installation = await install(sandbox);
});

beforeEach(async () => {
  expect(await installation.reconcile(EVERYTHING, true)).toMatchObject(ALL_WELL);
  await watched(installation, 3);
});

afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
});

it("finds and repairs flows that were removed, changed and added", async () => {
  const { exchange } = installation.names;
  await sandbox.ofctl("del-flows", installation.names.vpcBridge(1));
  await sandbox.ofctl("mod-flows", exchange, "table=0,ip,actions=drop");
  const [ours] = installation.backend.peeringFlows(PEERING)[2]?.flows ?? [];
  const cookie = /cookie=(0x[0-9a-f]+)/.exec(ours ?? "")?.[1];
  await sandbox.ofctl("add-flow", exchange, `cookie=${cookie},priority=9,arp,actions=NORMAL`);
  await sandbox.ofctl("add-flow", exchange, FOREIGN);

  const plan = await installation.backend.plan(EVERYTHING, { fresh: true });
  expect(diffOf(plan.diffs, installation.names.vpcBridge(1))?.missing.length).toBeGreaterThan(10);
  expect(diffOf(plan.diffs, installation.names.vpcBridge(2))?.missing).toEqual([]);
  const diff = diffOf(plan.diffs, exchange);
  expect(diff?.changed).toHaveLength(2);
  expect(diff?.unexpected).toHaveLength(1);
  expect(diff?.foreign).toHaveLength(1);

  expect(await installation.backend.apply(plan)).toMatchObject(ALL_WELL);
  await expectSettled();
  const text = await sandbox.ofctl("dump-flows", "--no-stats", exchange);
  expect(text, "foreign flows stay").toContain("tp_dst=99");
  await sandbox.ofctl("del-flows", exchange, "cookie=0x77/-1");
});

it("is told of a bridge that lost its settings, a port or itself, and repairs each", async () => {
  const { names } = installation;
  const bridge = names.vpcBridge(1);
  const damages = [
    ["set", "Bridge", bridge, "fail_mode=standalone"],
    ["set", "Interface", names.uplink(1), "options:peer=nowhere"],
    ["del-port", names.exchange, names.downlink(1)],
    ["del-br", bridge],
    ["remove", "Port", names.uplink(1), "external_ids", "patchbay-role"],
  ];
  for (const damage of damages) {
    const doubtsBefore = installation.doubts.length;
    await sandbox.vsctl(...damage);
    await eventually(() => installation.doubts.length > doubtsBefore);
    expect(installation.doubts.slice(doubtsBefore), damage.join(" ")).toContainEqual(scopeOf(1));
    const outcome = await installation.reconcile(slice(scopeOf(1), VPCS, [PEERING]));
    expect(outcome, damage.join(" ")).toMatchObject({
      ...ALL_WELL,
      installedPeerings: [PEERING.id],
    });
    await expectSettled();
    await watched(installation, 3);
  }
  const doubtsBefore = installation.doubts.length;
  await sandbox.vsctl("del-br", names.exchange);
  await eventually(() => installation.doubts.length > doubtsBefore);
  expect(installation.doubts.slice(doubtsBefore)).toContain("all");
  expect(await installation.reconcile(EVERYTHING)).toMatchObject(ALL_WELL);
  await expectSettled();
});

it("comes to rest: its own changes raise no doubt about what they were made for", async () => {
  await sandbox.vsctl("del-br", installation.names.vpcBridge(1));
  await watched(installation, 2);
  await installation.reconcile(EVERYTHING);
  // Coming under watch is a reason to look at the new bridge, once.
  await watched(installation, 3);
  const doubtsBefore = installation.doubts.length;
  await installation.reconcile(EVERYTHING, true);
  expect(installation.doubts.length).toBe(doubtsBefore);
});

it("leaves a bridge of somebody else alone that has the name it needs, and says so", async () => {
  const bridge = installation.names.vpcBridge(3);
  await sandbox.addBridge(bridge);
  await sandbox.ofctl("add-flow", bridge, FOREIGN);
  const three = slice("all", [...VPCS, vpcIntent(3, 1)], [PEERING]);
  const outcome = await installation.reconcile(three);
  expect([...outcome.failedVpcs.keys()]).toEqual(["vpc-3"]);
  expect(outcome.failedVpcs.get("vpc-3")).toMatch(/does not belong to this installation/);
  expect(outcome.installedPeerings).toEqual([PEERING.id]);
  expect(await sandbox.ofctl("dump-flows", "--no-stats", bridge)).toContain("tp_dst=99");
  await sandbox.vsctl("del-br", bridge);
  expect(await installation.reconcile(three)).toMatchObject(ALL_WELL);
  await installation.reconcile(EVERYTHING);
});

it("removes what belongs to VPCs that are gone, and nothing of anybody else", async () => {
  const neighbour = await install(sandbox, { identity: newIdentity() });
  await neighbour.reconcile(slice("all", [vpcIntent(1, 1)]));
  const stranger = uniqueName("br");
  await sandbox.addBridge(stranger);
  const all = [...VPCS, vpcIntent(3), vpcIntent(4)];
  await installation.reconcile(slice("all", all, [PEERING, peeringIntent(2, 2, 3)]));
  const { names } = installation;

  const scoped = await installation.reconcile(slice(scopeOf(2, 3), VPCS, [PEERING]));
  expect(scoped).toMatchObject(ALL_WELL);
  expect(await bridges()).not.toContain(names.vpcBridge(3));
  expect(await bridges()).toContain(names.vpcBridge(4));

  const plan = await installation.backend.plan(EVERYTHING, { fresh: true });
  const gone = diffOf(plan.diffs, names.vpcBridge(4));
  expect(gone?.vpcId).toBeNull();
  expect(gone?.unexpected.length).toBeGreaterThan(5);
  expect(await installation.backend.apply(plan)).toMatchObject(ALL_WELL);

  const left = [names.vpcBridge(1), names.vpcBridge(2), names.exchange];
  const theirs = [neighbour.names.vpcBridge(1), neighbour.names.exchange, stranger];
  expect((await bridges()).sort()).toEqual([...left, ...theirs].sort());
  const ports = (await sandbox.vsctl("list-ports", names.exchange)).split("\n");
  expect(ports.sort()).toEqual([names.downlink(1), names.downlink(2)]);
  const settled = await neighbour.backend.plan(slice("all", [vpcIntent(1, 1)]), { fresh: true });
  expect(settled.diffs.flatMap(({ missing }) => missing)).toEqual([]);
  await neighbour.stop();
});

async function expectSettled(): Promise<void> {
  const { diffs } = await installation.backend.plan(EVERYTHING, { fresh: true });
  expect(diffs).toHaveLength(3);
  for (const { missing, changed, unexpected } of diffs) {
    expect([...missing, ...changed, ...unexpected]).toEqual([]);
  }
}

async function bridges(): Promise<string[]> {
  return (await sandbox.vsctl("list-br")).split("\n");
}

function diffOf(diffs: readonly PlannedBridge[], bridge: string): PlannedBridge | undefined {
  return diffs.find((diff) => diff.bridge === bridge);
}
