import { afterAll, beforeAll, expect, it } from "vitest";
import { BackendError } from "../../../src/backends/backend.js";
import { CommandError, exec } from "../../../src/backends/ovs/exec.js";
import { createOvsBackend } from "../../../src/backends/ovs/ovs-backend.js";
import { peeringIntent, scopeOf, slice, vpcIntent } from "../../support/intents.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { ALL_WELL, type Installation, install, newIdentity } from "./fixture.js";

const VPCS = [vpcIntent(1, 1), vpcIntent(2, 1)];

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});

afterAll(async () => {
  await sandbox.stop();
});

it("says which program is missing and what to install", async () => {
  const installation = await install(sandbox, {
    exec: (_, ...rest) => exec("ovs-ofctl-x", ...rest),
  });
  const outcome = await installation.reconcile(slice("all", VPCS));
  expect(outcome.failedVpcs.get("vpc-1")).toMatch(/was not found; install/);
  const plan = installation.backend.plan(slice("all", VPCS), { fresh: true });
  await expect(plan).rejects.toThrow(BackendError);
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
  const backend = createOvsBackend({
    ...sandbox,
    datapath: "system",
    identity: newIdentity(),
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

it("opens nothing on the exchange when a VPC's bridge refuses, and goes on with the others", async () => {
  const installation: Installation = await install(sandbox, {
    exec: (program, args, stdin) => {
      const refused = failing && args.some((arg) => arg.endsWith(`${bridge}.mgmt`));
      return exec(program, refused ? [...args, "too", "many"] : args, stdin);
    },
  });
  let failing = false;
  const bridge = installation.names.vpcBridge(1);
  const vpcs = [...VPCS, vpcIntent(3, 1)];
  const peerings = [peeringIntent(1, 1, 2), peeringIntent(2, 2, 3)];
  expect(await installation.reconcile(slice("all", vpcs))).toMatchObject(ALL_WELL);
  failing = true;
  const scope = scopeOf(1, 2, 3);
  const outcome = await installation.reconcile(slice(scope, vpcs, peerings));
  expect(outcome.failedVpcs.get("vpc-1")).toMatch(/ovs-ofctl failed \(exit code 1\)/);
  expect(outcome.installedPeerings).toEqual(["pcx-2"]);
  const flows = await sandbox.ofctl("dump-flows", "--no-stats", installation.names.exchange);
  expect(flows).not.toContain("10.1.0.0/16");
  expect(flows).toContain("10.3.0.0/16");
  failing = false;
  const again = await installation.reconcile(slice(scope, vpcs, peerings));
  expect(again).toMatchObject({ ...ALL_WELL, installedPeerings: ["pcx-1", "pcx-2"] });
  await installation.stop();
});

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

it("gives up after the first bridge when ovs-ofctl cannot get through", async () => {
  let calls = 0;
  const installation = await install(sandbox, {
    exec: async (program, args) => {
      calls += 1;
      return exec(`${program}-missing`, args);
    },
  });
  const vpcs = Array.from({ length: 30 }, (_, index) => vpcIntent(index + 1));
  const outcome = await installation.reconcile(slice("all", vpcs));
  expect(outcome.failedVpcs.size).toBe(30);
  expect(outcome.exchangeError).toMatch(/ovs-ofctl-missing was not found/);
  expect(calls).toBeLessThan(10);
  await installation.stop();
});
