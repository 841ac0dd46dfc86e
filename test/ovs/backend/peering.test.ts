import { afterAll, beforeAll, expect, it } from "vitest";
import { eniId, peeringIntent, scopeOf, slice, vpcIntent } from "../../support/intents.js";
import { type Host, type HostPool, hostPool } from "../../support/netns.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { ALL_WELL, eventually, type Installation, install } from "./fixture.js";

const VPCS = [vpcIntent(1, 2), vpcIntent(2, 1), vpcIntent(3, 1)];
const PEERING = peeringIntent(7, 1, 2);

let sandbox: Sandbox;
let hosts: HostPool;
let installation: Installation;
let left: Host;
let right: Host;

beforeAll(async () => {
  sandbox = await startSandbox();
  hosts = hostPool(sandbox);
  installation = await install(sandbox);
  expect(await installation.reconcile(slice("all", VPCS))).toMatchObject(ALL_WELL);
  left = await plug(1);
  right = await plug(2);
  await eventually(() => bound(eniId(1)) && bound(eniId(2)));
  expect(await installation.reconcile(slice("all", VPCS))).toMatchObject(ALL_WELL);
});

afterAll(async () => {
  await installation.stop();
  await hosts.destroyAll();
  await sandbox.stop();
});

it("sees what was plugged in, and where, without being asked to look", async () => {
  expect(installation.backend.binding(eniId(1))).toEqual({ kind: "bound", port: left.port });
  expect(installation.backend.binding(eniId(3))).toEqual({ kind: "unbound" });
  expect(installation.doubts).toContainEqual(scopeOf(1));
  expect(installation.doubts).toContainEqual(scopeOf(2));
});

it("keeps VPCs apart until a peering is admitted, and again once it is not", async () => {
  expect(await left.ping("10.1.1.1"), "its own gateway").toBe(true);
  expect(await left.ping(right.ip)).toBe(false);

  const scope = scopeOf(1, 2);
  const admitted = await installation.reconcile(slice(scope, VPCS, [PEERING]));
  expect(admitted).toEqual({
    ...ALL_WELL,
    bridges: expect.any(Array),
    installedPeerings: [PEERING.id],
    removedPeerings: [],
  });
  expect(await left.ping(right.ip)).toBe(true);
  expect(await right.ping(left.ip)).toBe(true);

  const leaving = slice(scope, VPCS, [{ ...PEERING, admitted: false }]);
  const cut = await installation.reconcile(leaving);
  expect(cut).toMatchObject({
    ...ALL_WELL,
    installedPeerings: [],
    removedPeerings: [PEERING.id],
  });
  expect(await left.ping(right.ip)).toBe(false);
});

it("shows a peering's flows as they are on its bridges and the exchange", async () => {
  await installation.reconcile(slice(scopeOf(1, 2), VPCS, [PEERING]));
  for (const { bridge, flows } of installation.backend.peeringFlows(PEERING)) {
    const installed = await sandbox.ofctl("dump-flows", "--no-stats", bridge);
    const lines = installed.split("\n").map(withoutSpaces);
    expect(flows.length).toBeGreaterThan(0);
    for (const flow of flows) expect(lines).toContain(withoutSpaces(flow));
  }
  await installation.reconcile(slice("all", VPCS));
});

it("finds a peering's flows gone from the exchange when the slice no longer knows it", async () => {
  await installation.reconcile(slice(scopeOf(1, 2), VPCS, [PEERING]));
  const plan = await installation.backend.plan(slice(scopeOf(1), VPCS), { fresh: false });
  const exchange = plan.diffs.find(({ bridge }) => bridge === installation.names.exchange);
  expect(exchange?.unexpected).toHaveLength(2);
  await installation.backend.apply(plan);
  expect(await left.ping(right.ip)).toBe(false);
});

it("admits nothing while the other VPC's bridge is not known to be ready", async () => {
  const peering = peeringIntent(8, 1, 3);
  const halfway = await installation.reconcile(slice(scopeOf(1), VPCS, [peering]));
  expect(halfway.installedPeerings).toEqual([]);
  expect(halfway.failedVpcs.get("vpc-1")).toContain("pcx-8");
  expect(await exchangeFlowCount()).toBe(1);

  const other = await installation.reconcile(slice(scopeOf(3), VPCS, [peering]));
  expect(other.installedPeerings).toEqual(["pcx-8"]);
  await installation.reconcile(slice("all", VPCS));
  expect(await exchangeFlowCount()).toBe(1);
});

it("binds neither of two ports that claim one interface, and says which they are", async () => {
  const rival = await plug(1);
  await eventually(() => installation.backend.binding(eniId(1)).kind === "conflict");
  const binding = installation.backend.binding(eniId(1));
  const message = binding.kind === "conflict" ? binding.message : "";
  for (const part of [left.port, rival.port, installation.names.vpcBridge(1)]) {
    expect(message).toContain(part);
  }
  await installation.reconcile(slice(scopeOf(1), VPCS));
  expect(await left.ping("10.1.1.1")).toBe(false);
  await rival.destroy();
  await eventually(() => bound(eniId(1)));
  await installation.reconcile(slice(scopeOf(1), VPCS));
  expect(await left.ping("10.1.1.1")).toBe(true);
});

it("does not bind an interface to a port on another VPC's bridge", async () => {
  const stray = await plug(3, eniId(1, 1));
  await eventually(() => installation.doubts.some((s) => s !== "all" && s.has("vpc-3")));
  await installation.reconcile(slice("all", VPCS));
  expect(installation.backend.binding(eniId(1, 1))).toMatchObject({ kind: "conflict" });
  await stray.destroy();
});

function plug(n: number, ifaceId = eniId(n)): Promise<Host> {
  return hosts.create({
    bridge: installation.names.vpcBridge(n),
    address: `10.${n}.1.4/24`,
    mac: `02:00:00:00:0${n}:04`,
    gateway: `10.${n}.1.1`,
    ifaceId,
  });
}

function bound(id: string): boolean {
  return installation.backend.binding(id).kind === "bound";
}

async function exchangeFlowCount(): Promise<number> {
  const text = await sandbox.ofctl("dump-flows", "--no-stats", installation.names.exchange);
  return text.split("\n").filter((line) => line.includes("actions=")).length;
}

function withoutSpaces(line: string): string {
  return line.replaceAll(" ", "").replace("table=0,", "");
}
