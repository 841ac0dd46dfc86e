import { execa } from "execa";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { BackendError } from "../../../src/backends/backend.js";
import { stageBundle } from "../../../src/backends/ovs/bundle.js";
import { CommandError, exec } from "../../../src/backends/ovs/exec.js";
import { createOvsBackend } from "../../../src/backends/ovs/ovs-backend.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { peeringIntent, scopeOf, slice, vpcIntent } from "../../support/intents.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { ALL_WELL, foundAgain, type Installation, install, newIdentity } from "./fixture.js";

const VPCS = [vpcIntent(1, 1), vpcIntent(2, 1)];

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});

afterAll(async () => {
  await sandbox.stop();
});

it("says which program is missing and what to install", async () => {
  // New bridges need not be read, but may be when somebody seems to have changed them meanwhile.
  let program = "ovs-ofctl";
  const installation = await install(sandbox, { exec: (_, ...rest) => exec(program, ...rest) });
  expect(await installation.reconcile(slice("all", VPCS))).toMatchObject(ALL_WELL);
  program = "ovs-ofctl-x";
  const plan = installation.backend.plan(slice("all", VPCS), { fresh: true });
  await expect(plan).rejects.toThrow(BackendError);
  await expect(plan).rejects.toThrow(/was not found; install/);
  await installation.stop();
  const path = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  try {
    const missing = exec("ovs-ofctl", ["--version"]);
    await expect(missing).rejects.toThrow(CommandError);
    await expect(missing).rejects.toThrow(/ovs-ofctl was not found; install Open vSwitch/);
  } finally {
    process.env["PATH"] = path;
  }
});

it("tells why a bridge was not set up", async () => {
  const datapath = sandbox.datapath === "netdev" ? "system" : "netdev";
  if (datapath === "netdev") await takeNameOfUserspaceDatapath();
  const backend = createOvsBackend({
    ...sandbox,
    datapath,
    connectionsPerInterface: 1000,
    timeouts: { tcpEstablished: 432_000, udpStream: 180, udpSingle: 30 },
    identity: newIdentity(),
    holder: "a daemon",
    log: { info: () => undefined, warn: () => undefined },
  });
  await backend.start({ doubt: () => undefined });
  const outcome = await backend.apply(await backend.plan(slice("all", VPCS), { fresh: false }));
  expect([...outcome.failedVpcs.keys()]).toEqual(["vpc-1", "vpc-2"]);
  expect(outcome.failedVpcs.get("vpc-1")).toMatch(/bridge pb\w+ was not set up by ovs-vswitchd/);
  expect(outcome.exchangeError).toMatch(/was not set up/);
  await backend.apply(await backend.plan(slice("all", []), { fresh: false }));
  await backend.stop();
});

/** A switch on the kernel's datapath has the userspace one too, unless it cannot make its device. */
async function takeNameOfUserspaceDatapath(): Promise<void> {
  await execa("ip", ["link", "add", "ovs-netdev", "type", "veth", "peer", "name", "pbt-netdev"]);
  onTestFinished(async () => {
    await execa("ip", ["link", "del", "ovs-netdev"]);
  });
}

it("opens nothing on the exchange when a VPC's bridge refuses, and goes on with the others", async () => {
  const installation: Installation = await install(sandbox);
  const bridge = installation.names.vpcBridge(1);
  const vpcs = [...VPCS, vpcIntent(3, 1)];
  const peerings = [peeringIntent(1, 1, 2), peeringIntent(2, 2, 3)];
  expect(await installation.reconcile(slice("all", vpcs))).toMatchObject(ALL_WELL);
  await closeTable(bridge, VPC_TABLES.peering.number);
  const scope = scopeOf(1, 2, 3);
  const outcome = await installation.reconcile(slice(scope, vpcs, peerings));
  expect(outcome.failedVpcs.get("vpc-1")).toMatch(
    new RegExp(
      `the switch refuses "add table=${VPC_TABLES.peering.number},.*": OpenFlow error 5 \\(flow mod failed\\), code 1`,
    ),
  );
  expect(outcome.installedPeerings).toEqual(["pcx-2"]);
  const flows = await sandbox.ofctl("dump-flows", "--no-stats", installation.names.exchange);
  expect(flows).not.toContain("10.1.0.0/16");
  expect(flows).toContain("10.3.0.0/16");
  await sandbox.vsctl("clear", "Bridge", bridge, "flow_tables");
  const again = await installation.reconcile(slice(scope, vpcs, peerings));
  expect(again).toMatchObject({ ...ALL_WELL, installedPeerings: ["pcx-1", "pcx-2"] });
  await installation.stop();
});

/** From now on the switch takes no more flows in this table of the bridge. */
async function closeTable(bridge: string, table: number): Promise<void> {
  const limit = ["--id=@full", "create", "Flow_Table", "flow_limit=1", "overflow_policy=refuse"];
  await sandbox.vsctl("--", ...limit, "--", "set", "Bridge", bridge, `flow_tables:${table}=@full`);
}

it("says of a switch that hangs that it does not answer, instead of hanging itself", async () => {
  const installation = await install(sandbox);
  await installation.reconcile(slice("all", VPCS));
  const pid = await sandbox.vswitchdPid();
  process.kill(pid, "SIGSTOP");
  try {
    const plan = installation.backend.plan(slice("all", VPCS), { fresh: true });
    await expect(plan).rejects.toThrow(/ovs-vswitchd does not answer/);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  expect(await installation.reconcile(slice("all", VPCS), true)).toMatchObject(ALL_WELL);
  await installation.stop();
});

it("gives up after the first bridges when the switch hangs amid a plan", async () => {
  let bundles = 0;
  const installation = await install(sandbox, {
    stageBundle: (path, steps) => {
      bundles += 1;
      return stageBundle(path, steps, 1000);
    },
  });
  const vpcs = Array.from({ length: 30 }, (_, index) => vpcIntent(index + 1));
  expect(await installation.reconcile(slice("all", vpcs))).toMatchObject(ALL_WELL);
  bundles = 0;
  const closed = vpcs.map((vpc) => ({ ...vpc, subnets: [] }));
  const plan = await installation.backend.plan(slice("all", closed), { fresh: false });
  const pid = await sandbox.vswitchdPid();
  process.kill(pid, "SIGSTOP");
  try {
    const outcome = await installation.backend.apply(plan);
    expect(outcome.failedVpcs.size).toBe(30);
    // By the time that the rest has been tried, the switch may count as lost as a whole.
    expect(outcome.failedVpcs.get("vpc-1")).toMatch(
      /ovs-vswitchd did not answer within 1 s|restarted, or was away/,
    );
    expect(bundles).toBeLessThan(10);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await foundAgain(installation);
  expect(await installation.reconcile(slice("all", closed), true)).toMatchObject(ALL_WELL);
  await installation.stop();
});

it("gives up after the first bridges when ovs-ofctl cannot be started", async () => {
  let [calls, isMissing] = [0, false];
  const installation = await install(sandbox, {
    exec: async (program, args, stdin) => {
      if (!isMissing) return exec(program, args, stdin);
      calls += 1;
      return exec(`${program}-missing`, args);
    },
  });
  const vpcs = Array.from({ length: 30 }, (_, index) => vpcIntent(index + 1));
  expect(await installation.reconcile(slice("all", vpcs))).toMatchObject(ALL_WELL);
  isMissing = true;
  const plan = installation.backend.plan(slice("all", vpcs), { fresh: true });
  await expect(plan).rejects.toThrow(/ovs-ofctl-missing was not found/);
  expect(calls).toBeLessThan(10);
  await installation.stop();
});
