import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { ovsdbAnswers } from "../../../src/backends/ovs/ovs-backend.js";
import { peeringIntent, slice, vpcIntent } from "../../support/intents.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import {
  ALL_WELL,
  eventually,
  foundAgain,
  type Installation,
  install,
  lost,
  watched,
} from "./fixture.js";

const PEERING = peeringIntent(1, 1, 2);
const EVERYTHING = slice("all", [vpcIntent(1, 1), vpcIntent(2, 1)], [PEERING]);

let sandbox: Sandbox;
let installation: Installation;

beforeAll(async () => {
  sandbox = await startSandbox();
  installation = await install(sandbox);
  expect(await installation.reconcile(EVERYTHING)).toMatchObject(ALL_WELL);
});

beforeEach(() => watched(installation, 3));

afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
});

it("notices that ovs-vswitchd is gone, says so, and restores every flow once it is back", async () => {
  const before = await flowsOfEveryBridge();
  installation.doubts.length = 0;
  await sandbox.killVswitchd();
  await lost(installation);
  expect(installation.doubts).toContain("all");
  await expect(installation.backend.plan(EVERYTHING, { fresh: false })).rejects.toThrow(
    /ovs-vswitchd is not running/,
  );

  installation.doubts.length = 0;
  await sandbox.startAgain();
  await foundAgain(installation);
  expect(installation.doubts).toContain("all");
  const outcome = await installation.reconcile(EVERYTHING);
  expect(outcome).toMatchObject({ ...ALL_WELL, installedPeerings: [PEERING.id] });
  expect(await flowsOfEveryBridge()).toEqual(before);
});

it.each([
  ["ovs-vswitchd", "ovs-vswitchd.pid"],
  ["ovsdb-server", "ovsdb-server.pid"],
])("notices that %s hangs, and finds it again when it goes on", async (_program, pidFile) => {
  const pid = Number(await readFile(join(sandbox.dir, pidFile), "utf8"));
  installation.doubts.length = 0;
  process.kill(pid, "SIGSTOP");
  try {
    await lost(installation);
    await eventually(() => installation.doubts.includes("all"));
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await foundAgain(installation);
  expect(await installation.reconcile(EVERYTHING)).toMatchObject(ALL_WELL);
});

it("does not carry out a plan from before a restart", async () => {
  const plan = await installation.backend.plan(EVERYTHING, { fresh: true });
  await sandbox.killVswitchd();
  await lost(installation);
  await sandbox.startAgain();
  await foundAgain(installation);
  const outcome = await installation.backend.apply(plan);
  expect(outcome.exchangeError).toMatch(/restarted/);
  expect(outcome.installedPeerings).toEqual([]);
  expect([...outcome.failedVpcs.keys()]).toEqual(["vpc-1", "vpc-2"]);
  expect(await installation.reconcile(EVERYTHING)).toMatchObject(ALL_WELL);
});

it("holds its turn until the switch has answered, also when intent cannot be read", async () => {
  const pid = await sandbox.vswitchdPid();
  process.kill(pid, "SIGSTOP");
  let isOver = false;
  const broken = Promise.reject(new Error("no database"));
  const plan = installation.backend.plan(broken, { fresh: false }).finally(() => {
    isOver = true;
  });
  const ended = Promise.allSettled([plan]);
  try {
    // Starting a program takes longer than any rejection.
    await sandbox.vsctl("--no-wait", "show");
    expect(isOver).toBe(false);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await ended;
  await expect(plan).rejects.toThrow("no database");
});

it("survives a restart of ovsdb-server with flows in place", async () => {
  const before = await flowsOfEveryBridge();
  installation.doubts.length = 0;
  await sandbox.killOvsdb();
  await lost(installation);
  expect(installation.doubts).toContain("all");
  await expect(installation.backend.plan(EVERYTHING, { fresh: false })).rejects.toThrow(
    /database at unix:.* cannot be reached/,
  );
  expect(await ovsdbAnswers(sandbox.ovsdb, 500)).toBe(false);
  const doubtsWhileAway = installation.doubts.length;
  await sandbox.startAgain();
  expect(await ovsdbAnswers(sandbox.ovsdb, 500)).toBe(true);
  await eventually(() => installation.doubts.length > doubtsWhileAway);
  await foundAgain(installation);
  const plan = await installation.backend.plan(EVERYTHING, { fresh: true });
  for (const { missing, changed, unexpected } of plan.diffs) {
    expect([...missing, ...changed, ...unexpected]).toEqual([]);
  }
  expect(await installation.backend.apply(plan)).toMatchObject(ALL_WELL);
  expect(await flowsOfEveryBridge()).toEqual(before);
});

it("recognises its own after a restart of the daemon, and changes nothing", async () => {
  await installation.stop();
  const before = await flowsOfEveryBridge();
  installation = await install(sandbox, { identity: installation.identity });
  const plan = await installation.backend.plan(EVERYTHING, { fresh: false });
  for (const { missing, changed, unexpected, foreign } of plan.diffs) {
    expect([...missing, ...changed, ...unexpected, ...foreign]).toEqual([]);
  }
  const outcome = await installation.backend.apply(plan);
  expect(outcome).toMatchObject({ ...ALL_WELL, installedPeerings: [PEERING.id] });
  expect(await flowsOfEveryBridge()).toEqual(before);
});

async function flowsOfEveryBridge(): Promise<string[][]> {
  const { names } = installation;
  const bridges = [names.vpcBridge(1), names.vpcBridge(2), names.exchange];
  return Promise.all(
    bridges.map(async (bridge) =>
      (await sandbox.ofctl("dump-flows", "--no-stats", bridge)).split("\n").sort(),
    ),
  );
}
