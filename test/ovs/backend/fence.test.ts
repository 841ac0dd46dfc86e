import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { BackendError } from "../../../src/backends/backend.js";
import { type StageBundle, stageBundle } from "../../../src/backends/ovs/bundle.js";
import { JsonRpc } from "../../../src/backends/ovs/json-rpc.js";
import { parseStreamAddress } from "../../../src/backends/ovs/stream-address.js";
import { peeringIntent, slice, vpcIntent } from "../../support/intents.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import {
  ALL_WELL,
  eventually,
  type Installation,
  install,
  lost,
  newIdentity,
  reachesSwitch,
} from "./fixture.js";

const ONE = slice("all", [vpcIntent(1, 1)]);
const TWO = slice("all", [vpcIntent(1, 1), vpcIntent(2, 1)], [peeringIntent(1, 1, 2)]);
const identity = newIdentity();

let sandbox: Sandbox;
let first: Installation;
let second: Installation;
/** Runs when the first one has staged a bundle and is about to commit it. */
let beforeCommit: () => Promise<void> = async () => {};

beforeAll(async () => {
  sandbox = await startSandbox();
  const pausing: StageBundle = async (path, steps) => {
    const staged = await stageBundle(path, steps);
    await beforeCommit();
    return staged;
  };
  first = await install(sandbox, { identity, holder: "daemon one", stageBundle: pausing });
  await eventually(() => first.backend.fence().kind === "ours");
  expect(await first.reconcile(ONE)).toMatchObject(ALL_WELL);
  second = await install(sandbox, { identity, holder: "daemon two" });
  await eventually(() => second.backend.fence().kind === "another");
});

afterAll(async () => {
  await first.stop();
  await second.stop();
  await sandbox.stop();
});

it("tells the second daemon of an installation who holds the switch, and lets it change nothing", async () => {
  const before = await theSwitch();
  await eventually(() => reasonOf(second).includes("daemon one"));
  expect(first.backend.fence()).toEqual({ kind: "ours" });
  const empty = slice("all", []);
  for (const fresh of [true, false]) {
    const plan = second.backend.plan(empty, { fresh });
    await expect(plan).rejects.toThrow(BackendError);
    await expect(plan).rejects.toThrow(/another daemon .*daemon one/);
  }
  for (const read of second.backend.readings().slice(0, 1)) {
    await expect(read()).rejects.toThrow(/another daemon/);
  }
  expect(await theSwitch()).toEqual(before);
  expect(await first.reconcile(ONE, true)).toMatchObject(ALL_WELL);
});

it("lets who does not hold the switch see what is plugged in, and not be woken by it", async () => {
  await expect(second.backend.plan(TWO, { fresh: false })).rejects.toThrow(/another daemon/);
  second.doubts.length = 0;
  expect(await first.reconcile(TWO)).toMatchObject(ALL_WELL);
  expect(await first.reconcile(ONE)).toMatchObject(ALL_WELL);
  expect(await second.backend.surveyDrops()).toMatchObject({ complete: true });
  expect(second.doubts).toEqual([]);
});

it("keeps no other installation from the same switch", async () => {
  const other = await install(sandbox);
  onTestFinished(() => other.stop());
  expect(await other.reconcile(TWO)).toMatchObject(ALL_WELL);
  expect(other.backend.fence()).toEqual({ kind: "ours" });
  expect(await other.reconcile(slice("all", []))).toMatchObject(ALL_WELL);
});

it("goes to the second when the first stands down, and back when both have turned round", async () => {
  first.backend.standUp();
  expect(first.backend.fence(), "it does so already").toEqual({ kind: "ours" });
  first.backend.standDown();
  first.backend.standDown();
  expect(first.backend.fence()).toMatchObject({ kind: "another" });
  await expect(first.backend.plan(TWO, { fresh: false })).rejects.toThrow(/left to the daemon/);
  await eventually(() => second.backend.fence().kind === "ours");
  expect(await second.reconcile(ONE)).toMatchObject(ALL_WELL);
  second.backend.standDown();
  first.backend.standUp();
  await eventually(() => first.backend.fence().kind === "ours");
  second.backend.standUp();
  await eventually(() => reasonOf(second).includes("daemon one"));
  expect(await first.reconcile(ONE)).toMatchObject(ALL_WELL);
});

it("begins no change once the switch is known to be another's, not even one that is staged", async () => {
  const before = await flows();
  const plan = await first.backend.plan(TWO, { fresh: false });
  const thief = await steal();
  await eventually(() => first.backend.fence().kind === "another");
  const late = await first.backend.apply(plan);
  expect([...late.failedVpcs.keys()]).toEqual(["vpc-1", "vpc-2"]);
  expect(late.installedPeerings).toEqual([]);
  await expect(first.backend.plan(TWO, { fresh: false })).rejects.toThrow(/another daemon/);
  await giveBack(thief);
  expect(await flows()).toEqual(before);

  expect(await first.reconcile(slice("all", [vpcIntent(1, 1), vpcIntent(2, 1)]))).toMatchObject(
    ALL_WELL,
  );
  const unpeered = await flows();
  let again: JsonRpc | undefined;
  beforeCommit = async () => {
    again ??= await steal();
    await eventually(() => first.backend.fence().kind === "another");
  };
  const amid = await first.reconcile(TWO);
  beforeCommit = async () => {};
  expect(amid.installedPeerings).toEqual([]);
  expect(amid.exchangeError).toBeDefined();
  expect(await flows(), "nothing was committed").toEqual(unpeered);
  if (again !== undefined) await giveBack(again);
  expect(await first.reconcile(ONE)).toMatchObject(ALL_WELL);
});

it("makes no bridge when the switch went to another since the plan, told or not", async () => {
  const plan = await first.backend.plan(TWO, { fresh: false });
  const bridges = await sandbox.vsctl("list-br");
  const applying = first.backend.apply(plan);
  const thief = await steal();
  const { failedVpcs } = await applying;
  const after = await sandbox.vsctl("list-br");
  // Either all of the transaction came before the theft, or nothing of it.
  if (after !== bridges) expect(after).toContain(first.names.vpcBridge(2));
  else expect([...failedVpcs.keys()]).toContain("vpc-2");
  await giveBack(thief);
  expect(await first.reconcile(ONE)).toMatchObject(ALL_WELL);
});

it("gives the switch to one of the two when ovsdb-server comes back", async () => {
  await sandbox.killOvsdb();
  await lost(first);
  expect(first.backend.fence()).toEqual({ kind: "unknown" });
  expect(second.backend.fence().kind, "who did not have it is no wiser").toBe("another");
  await sandbox.startAgain();
  const kinds = () => [first, second].map(({ backend }) => backend.fence().kind).sort();
  await eventually(() => kinds().join() === "another,ours");
  const [holder, other] = first.backend.fence().kind === "ours" ? [first, second] : [second, first];
  const name = holder === first ? "daemon one" : "daemon two";
  await eventually(() => reasonOf(other).includes(name));
  await eventually(() => reachesSwitch(holder));
  expect(await holder.reconcile(ONE, true)).toMatchObject(ALL_WELL);
  await expect(other.backend.plan(ONE, { fresh: false })).rejects.toThrow(/another daemon/);
});

it("hands the switch to who waits when the holder ends, which doubts all of it", async () => {
  const [holder, other] = first.backend.fence().kind === "ours" ? [first, second] : [second, first];
  other.doubts.length = 0;
  await holder.stop();
  await eventually(() => other.backend.fence().kind === "ours");
  expect(other.doubts).toContain("all");
  const bridge = other.names.vpcBridge(1);
  await sandbox.ofctl("del-flows", bridge);
  expect(await other.reconcile(TWO)).toMatchObject(ALL_WELL);
  expect(await sandbox.ofctl("dump-flows", bridge)).toContain("cookie=");
});

/** Everything that a daemon would change. */
async function theSwitch(): Promise<string[]> {
  const database = await sandbox.run("ovsdb-client", ["dump", sandbox.ovsdb, "Open_vSwitch"]);
  return [database, ...(await flows())];
}

async function flows(): Promise<string[]> {
  const bridges = (await sandbox.vsctl("list-br")).split("\n").filter(Boolean);
  return Promise.all(
    bridges.map(async (bridge) => {
      const lines = (await sandbox.ofctl("dump-flows", "--no-stats", bridge)).split("\n");
      return [bridge, ...lines.sort()].join("\n");
    }),
  );
}

/** Takes the lock of the installation as nothing of ours would. */
async function steal(): Promise<JsonRpc> {
  const thief = await JsonRpc.connect(parseStreamAddress(sandbox.ovsdb), 5000);
  const lock = `patchbay_${identity.installationId.replaceAll("-", "")}`;
  expect(await thief.request("steal", [lock], 5000)).toEqual({ locked: true });
  return thief;
}

/** To the first one, which was robbed: it has waited in front of the second. */
async function giveBack(thief: JsonRpc): Promise<void> {
  thief.close();
  await eventually(() => first.backend.fence().kind === "ours");
  await eventually(() => reachesSwitch(first));
}

function reasonOf({ backend }: Installation): string {
  const state = backend.fence();
  return state.kind === "another" ? state.reason : "";
}
