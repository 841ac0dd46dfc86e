import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { BundleError, stageBundle } from "../../../src/backends/ovs/bundle.js";
import type { BundleStep } from "../../../src/openflow/bundle-step.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { NotEncodable } from "../../../src/openflow/wire/not-encodable.js";
import { slice, vpcIntent } from "../../support/intents.js";
import { type Sandbox, startSandbox, uniqueName } from "../../support/sandbox.js";
import { sendBundle } from "../../support/send-bundle.js";
import { installedFlows } from "../pipeline/installed.js";
import { ALL_WELL, FALLBACK, install } from "./fixture.js";

const MANY = 10_000;

const bridge = uniqueName("pbb");
let sandbox: Sandbox;
let path: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  await sandbox.addBridge(bridge);
  path = join(sandbox.rundir, `${bridge}.mgmt`);
});

beforeEach(async () => {
  await sandbox.ofctl("del-flows", bridge);
});

afterAll(async () => {
  await sandbox.stop();
});

function flow(number: number, actions = "drop"): Flow {
  const match = { ip: true, reg0: `0x${number.toString(16)}` } as const;
  return { table: 3, priority: 100, cookie: 0x5n, match, actions };
}

const add = (number: number, actions?: string): BundleStep => ({
  kind: "add",
  flow: flow(number, actions),
});

const installed = () => installedFlows(sandbox, bridge);

it("carries out steps in their order: what is removed can be added again", async () => {
  await sendBundle(path, [add(1), add(2)]);
  await sendBundle(path, [
    { kind: "delete", flow: flow(1) },
    add(1, "output:4"),
    add(2, "IN_PORT"),
  ]);
  const byNumber = (a: Flow, b: Flow) =>
    String(a.match["reg0"]) < String(b.match["reg0"]) ? -1 : 1;
  expect((await installed()).sort(byNumber)).toEqual([flow(1, "output:4"), flow(2, "IN_PORT")]);
});

it(`carries out a bundle of ${MANY} flows`, async () => {
  const flows = Array.from({ length: MANY }, (_, index) => flow(index + 1, "set_field:0x7->reg1"));
  await sendBundle(
    path,
    flows.map((each) => ({ kind: "add", flow: each })),
  );
  expect(await installed()).toHaveLength(MANY);
  await sendBundle(
    path,
    flows.map((each) => ({ kind: "delete", flow: each })),
  );
  expect(await installed()).toEqual([]);
});

it("does nothing of a bundle that is staged and discarded, nor later", async () => {
  const staged = await stageBundle(path, [add(1)]);
  expect(await installed()).toEqual([]);
  staged.discard();
  await expect(staged.commit()).rejects.toThrow(BundleError);
  expect(await installed()).toEqual([]);
});

it("does nothing at all when the switch refuses one step at once, and names it", async () => {
  const refused = sendBundle(path, [add(1), add(2, "output:65280"), add(3)]);
  await expect(refused).rejects.toThrow(BundleError);
  await expect(refused).rejects.toThrow(
    /refuses "add table=3,priority=100,ip,reg0=0x2,.*actions=output:65280": OpenFlow error 2 \(bad action\), code 4$/,
  );
  await expect(refused).rejects.toMatchObject({ hopeless: false });
  expect(await installed()).toEqual([]);
});

it("does nothing at all when the switch refuses one step in the end, and names it", async () => {
  const limit = ["--id=@few", "create", "Flow_Table", "flow_limit=2", "overflow_policy=refuse"];
  await sandbox.vsctl("--", ...limit, "--", "set", "Bridge", bridge, "flow_tables:3=@few");
  const refused = sendBundle(path, [add(1), add(2), add(3), add(4)]);
  await expect(refused).rejects.toThrow(/refuses "add .*reg0=0x3,.*": OpenFlow error 5 .*code 1$/);
  expect(await installed()).toEqual([]);
  await sandbox.vsctl("clear", "Bridge", bridge, "flow_tables");
});

it("does nothing at all when a step cannot be encoded", async () => {
  const many = Array.from({ length: 3000 }, (_, index) => add(index + 1));
  const strange = add(9999, "learn(table=4)");
  await expect(sendBundle(path, [...many, strange])).rejects.toThrow(NotEncodable);
  await sendBundle(path, [add(1)]);
  expect(await installed()).toEqual([flow(1)]);
});

it("says that a bridge is not there, which says nothing about others", async () => {
  const absent = sendBundle(join(sandbox.rundir, "nobody.mgmt"), [add(1)]);
  await expect(absent).rejects.toThrow(/ovs-vswitchd cannot be reached: connect ENOENT/);
  await expect(absent).rejects.toMatchObject({ hopeless: false });
});

it("gives a switch that hangs up, and tells a connection that is lost amid a bundle", async () => {
  process.kill(await sandbox.vswitchdPid(), "SIGSTOP");
  const silent = sendBundle(path, [add(1)], 200);
  await expect(silent).rejects.toThrow(/ovs-vswitchd did not answer within 0.2 s/);
  await expect(silent).rejects.toMatchObject({ hopeless: true });
  const lost = sendBundle(path, [add(1)]);
  await Promise.all([
    expect(lost).rejects.toThrow(/was lost amid a bundle/),
    sandbox.killVswitchd("SIGKILL"),
  ]);
  await expect(lost).rejects.toMatchObject({ hopeless: false });
  await sandbox.startAgain();
});

it("leaves to ovs-ofctl what others have written in words that it alone knows", async () => {
  const heard: string[] = [];
  const installation = await install(sandbox, { hear: (message) => heard.push(message) });
  const everything = slice("all", [vpcIntent(1, 1)]);
  expect(await installation.reconcile(everything)).toMatchObject(ALL_WELL);
  expect(heard).not.toContain(FALLBACK);
  const own = installation.names.vpcBridge(1);
  const dump = () => sandbox.ofctl("--no-stats", "dump-flows", own);
  const before = await dump();
  const cookie = /cookie=(0x[0-9a-f]+)/.exec(before)?.[1];
  const strange = `cookie=${cookie},priority=9,udp6,ipv6_src=fe80::/10,tp_dst=53`;
  await sandbox.ofctl("add-flow", own, `${strange},actions=learn(table=99),NORMAL`);
  expect(await installation.reconcile(everything, true)).toMatchObject(ALL_WELL);
  expect(heard).toContain(FALLBACK);
  expect((await dump()).split("\n").sort()).toEqual(before.split("\n").sort());
  await installation.stop();
});
