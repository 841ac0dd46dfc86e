import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ownsCookie } from "../../../src/openflow/cookie.js";
import { diffFlows } from "../../../src/openflow/delta.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { formatDelete, formatFlow, formatFlowMod } from "../../../src/openflow/text.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { type Sandbox, startSandbox, uniqueName } from "../../support/sandbox.js";
import { sendBundle } from "../../support/send-bundle.js";
import { bridgesOf, OPTIONS, TOPOLOGIES } from "../../unit/pipeline/topologies.js";
import { installedFlows, installFlows, runBundle } from "./installed.js";

const NOTHING = { missing: [], changed: [], unexpected: [], foreign: [] };
const owns = ownsCookie(OPTIONS.mark);
const bridge = uniqueName("pbc");
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
  await sandbox.addBridge(bridge);
});
afterAll(async () => sandbox.stop());
beforeEach(async () => {
  await sandbox.ofctl("del-flows", bridge);
});

const rendered = Object.entries(TOPOLOGIES).flatMap(([name, topology]) =>
  [...bridgesOf(topology)].map(([of, flows]) => ({ title: `${of} of ${name}`, flows })),
);

/** Spellings that are easy to get wrong. */
const KINDS = [
  "ct_tp_dst=0x0/0xfffe",
  "ct_tp_dst=0x8000/0xc000",
  "ct_tp_dst=443",
  "reg6=0/0xff00",
  "reg6=0x800/0xffff",
  "ct_nw_proto=47",
  ",nw_proto=0",
  "ct_mark=0,",
  "ct_mark=0x65",
  "reg8=0 ",
  "conjunction(1,2/2),conjunction(2,2/2)",
  `conj_id=${2 ** 31 + 17}`,
  `conjunction(${2 ** 31 + 17},`,
  "ct_state=-new-rel-rpl+trk",
  "ct(commit,zone=NXM_NX_REG3[0..15],exec(move:NXM_NX_REG1[]->NXM_NX_CT_MARK[]))",
  `ct(commit,table=${VPC_TABLES.egressRoom.number},zone=NXM_NX_REG3[0..15],exec(move:NXM_NX_REG1[]->NXM_NX_CT_MARK[],move:`,
  `ct(table=${VPC_TABLES.egressState.number},zone=NXM_NX_REG3[0..15])`,
  `ct(table=${VPC_TABLES.egressOther.number},zone=NXM_NX_REG3[16..31])`,
  "ct_label=0x10000/0x10000",
  `resubmit(,${VPC_TABLES.memberships.number})`,
  "arp_spa=10.10.1.64/29,arp_tpa=10.10.1.64/29",
  "arp_spa=10.10.1.64/255.255.255.241,arp_tpa=10.10.1.64/255.255.255.241",
  "move:NXM_NX_REG11[]->NXM_OF_ARP_SPA[]",
  "reg0=0x11,nw_dst=10.10.1.64/28",
];

describe("rendered flows are in the switch's own words", () => {
  it.each(rendered)("$title", async ({ flows }) => {
    await installFlows(sandbox, bridge, flows);
    expect(diffFlows(flows, await installedFlows(sandbox, bridge), owns)).toEqual(NOTHING);
    expect(diffFlows(flows, await installedFlows(sandbox, bridge, []), owns)).toEqual(NOTHING);
  });

  it("for every kind of flow that there is", () => {
    const text = rendered.flatMap(({ flows }) => flows.map(formatFlow)).join("\n");
    for (const kind of KINDS) expect(text).toContain(kind);
  });

  it("down to the text that is shown", async () => {
    const flows = bridgesOf(TOPOLOGIES.guarded).get("vpc-1") ?? [];
    await installFlows(sandbox, bridge, flows);
    const dump = await sandbox.ofctl("--no-stats", "dump-flows", bridge);
    const shown = flows.map((flow) => formatFlow(flow).replace(" table=0,", ""));
    expect(
      dump
        .split("\n")
        .map((line) => line.trim())
        .sort(),
    ).toEqual(shown.sort());
  });
});

describe("what is not ours", () => {
  const ours = bridgesOf(TOPOLOGIES["lone-vpc"]).get("vpc-1") ?? [];
  const [flow] = ours.filter(({ match }) => "nw_src" in match);

  it.each([
    "idle_timeout=60",
    "hard_timeout=500",
    "importance=3",
    "send_flow_rem",
    "check_overlap",
    "reset_counts",
    "no_packet_counts",
    "no_byte_counts",
  ])("differs by %s, as the switch prints it", async (extra) => {
    if (flow === undefined) throw new Error("no flow to try");
    await runBundle(sandbox, bridge, [formatFlowMod(flow).replace("add ", `add ${extra},`)]);
    const delta = diffFlows([flow], await installedFlows(sandbox, bridge), owns);
    expect(delta.changed.map(({ to }) => to)).toEqual([flow]);
  });

  it("is told apart by cookie", async () => {
    const foreign: Flow = { ...foreignFlow, cookie: 0n, priority: 32768, table: 0 };
    await installFlows(sandbox, bridge, [...ours, foreign]);
    const delta = diffFlows(ours, await installedFlows(sandbox, bridge), owns);
    expect(delta).toEqual({ ...NOTHING, foreign: [foreign] });
  });
});

const foreignFlow: Flow = {
  table: 5,
  priority: 7,
  cookie: 0x77n,
  match: { ip: true, nw_dst: "10.20.1.0/24" },
  actions: "drop",
};

const REMOVALS = {
  "a line of ovs-ofctl": (flows: readonly Flow[]) =>
    runBundle(sandbox, bridge, flows.map(formatDelete)),
  "a message of ours": (flows: readonly Flow[]) =>
    sendBundle(
      join(sandbox.rundir, `${bridge}.mgmt`),
      flows.map((flow) => ({ kind: "delete", flow })),
    ),
} as const;

describe.each(Object.entries(REMOVALS))("removed by %s", (_, remove) => {
  const wide: Flow = { ...foreignFlow, match: { ip: true, nw_dst: "10.20.0.0/16" } };

  it("exactly a flow goes, not those inside its match", async () => {
    await installFlows(sandbox, bridge, [wide, foreignFlow]);
    await remove([wide]);
    expect(await installedFlows(sandbox, bridge)).toEqual([foreignFlow]);
  });

  it("a flow stays that meanwhile carries another cookie", async () => {
    const replaced = { ...wide, cookie: 0x78n };
    await installFlows(sandbox, bridge, [replaced]);
    await remove([wide]);
    expect(await installedFlows(sandbox, bridge)).toEqual([replaced]);
  });

  it("every rendered flow goes", async () => {
    const flows = bridgesOf(TOPOLOGIES.chain).get("vpc-2") ?? [];
    await installFlows(sandbox, bridge, flows);
    await remove(flows);
    expect(await installedFlows(sandbox, bridge)).toEqual([]);
  });
});
