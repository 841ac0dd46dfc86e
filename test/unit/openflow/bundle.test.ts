import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BundleStep, stepsFor } from "../../../src/openflow/bundle-step.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { formatFlow, parseFlow } from "../../../src/openflow/text.js";
import { encodeCommit, encodeStaging, isCommitReply } from "../../../src/openflow/wire/bundle.js";
import { MessageScanner } from "../../../src/openflow/wire/message.js";
import { NotEncodable } from "../../../src/openflow/wire/not-encodable.js";
import { describeRefusal } from "../../../src/openflow/wire/refusal.js";
import { exampleFlows } from "../../../src/pipeline/example.js";
import { anyTopology } from "../pipeline/arbitrary.js";
import { anySecurity, secured } from "../pipeline/secured.js";
import { bridgesOf, TOPOLOGIES } from "../pipeline/topologies.js";

const FLOW: Flow = {
  table: 3,
  priority: 100,
  cookie: 0x5n,
  match: { ip: true, in_port: "3", nw_src: "10.0.0.0/8" },
  actions: "drop",
};

const encode = (...steps: BundleStep[]) => Buffer.concat([...encodeStaging(steps)]);
const adding = (flow: Flow) => encode({ kind: "add", flow });
const encodeAll = (flows: readonly Flow[]) =>
  encode(...flows.map((flow) => ({ kind: "add", flow }) as const));

describe("a bundle on the wire", () => {
  it("is what ovs-ofctl 3.1 was recorded sending, but for the numbers of bundle and messages", () => {
    const steps: BundleStep[] = [
      { kind: "add", flow: FLOW },
      { kind: "delete", flow: FLOW },
    ];
    expect(encode(...steps).toString("hex")).toBe(
      [
        "05000010000000010001000800000020",
        "05210010000000020000000100000003",
        "05220060000000050000000100000003",
        "050e005000000005000000000000000500000000000000000300000000000064",
        "ffffffffffffffffffffffff00000000",
        "0001001e800000040000000380000a020800800017080a000000ff0000000000",
        "05220060000000060000000100000003",
        "050e0050000000060000000000000005ffffffffffffffff0304000000000064",
        "ffffffffffffffffffffffff00000000",
        "0001001e800000040000000380000a020800800017080a000000ff0000000000",
        "0514000800000003",
      ].join(""),
    );
    expect(encodeCommit().toString("hex")).toBe("05210010000000040000000100040003");
  });

  it("is over when the switch says that it was committed, not that it was opened", () => {
    const [opened, committed, short] = new MessageScanner().push(
      Buffer.from(
        [
          "05210010000000020000000100010000",
          "05210010000000040000000100050000",
          "0521000a000000040000",
        ].join(""),
        "hex",
      ),
    );
    expect([opened, committed, short].map((each) => each && isCommitReply(each))).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("comes in pieces that are sent as they are made", () => {
    const steps = Array.from({ length: 2000 }, (): BundleStep => ({ kind: "add", flow: FLOW }));
    const pieces = [...encodeStaging(steps)];
    expect(pieces.length).toBeGreaterThan(3);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(64 * 1024);
    const messages = new MessageScanner().push(Buffer.concat(pieces));
    expect(messages).toHaveLength(2000 + 3);
  });

  it("removes first, then changes and adds", () => {
    const [from, to] = [FLOW, { ...FLOW, actions: "output:1" }];
    const [gone, missing] = [
      { ...FLOW, table: 1 },
      { ...FLOW, table: 2 },
    ];
    const delta = { missing: [missing], changed: [{ from, to }], unexpected: [gone], foreign: [] };
    expect(stepsFor(delta)).toEqual([
      { kind: "delete", flow: gone },
      { kind: "add", flow: to },
      { kind: "add", flow: missing },
    ]);
  });
});

describe("whatever the pipeline renders can be encoded", { timeout: 60_000 }, () => {
  it.each(Object.entries(TOPOLOGIES))("of %s", (_, topology) => {
    for (const flows of bridgesOf(topology).values()) encodeAll(flows);
    expect(bridgesOf(topology).size).toBeGreaterThan(1);
  });

  it("of the example and of any topology", () => {
    const { vpc, exchange } = exampleFlows();
    encodeAll([...vpc, ...exchange]);
    const any = fc.tuple(anyTopology(), anySecurity());
    fc.assert(
      fc.property(any, ([topology, security]) => {
        for (const flows of bridgesOf(secured(topology, security)).values()) encodeAll(flows);
      }),
    );
  });
});

describe("what is not in the vocabulary", () => {
  it.each([
    "udp",
    "ip,nw_tos=4",
    "in_port=LOCAL",
    "vlan_tci=0x0000/0x1fff",
    "nw_frag=later",
    "ip,nw_src=10.0.0.256",
    "ip,nw_src=10.0.0.0/33",
    "dl_src=02:00:00:00:00",
    "ct_state=+what",
    "icmp,icmp_type=256",
    "reg1=-1",
    "reg1=0x1/",
  ])("is refused: a match on %s", (match) => {
    const flow = parseFlow(` cookie=0x5, table=1, priority=2,${match} actions=drop`);
    if (flow === undefined) throw new Error(`not a flow: ${match}`);
    expect(formatFlow(flow)).toContain(match);
    expect(() => adding(flow)).toThrow(NotEncodable);
  });

  it.each([
    "NORMAL",
    "output:4,drop",
    "goto_table:4,output:1",
    "set_field:7->tun_id",
    "set_field:0x1/0x1->reg1",
    "move:NXM_NX_REG1[0..7]->NXM_NX_REG2[0..3]",
    "move:NXM_NX_REG1[8..40]->NXM_NX_REG2[8..40]",
    "move:NXM_NX_TUN_ID[]->NXM_NX_REG2[]",
    "ct(commit,zone=5)",
    "conjunction(7,1/2),",
    `${"output:1,".repeat(5000)}output:2`,
  ])("is refused: %s", (actions) => {
    expect(() => adding({ ...FLOW, actions })).toThrow(NotEncodable);
  });

  it("does not matter in a flow that is to go", () => {
    const flow = { ...FLOW, actions: "NORMAL", extras: ["idle_timeout=60"] };
    expect(encode({ kind: "delete", flow })).toEqual(encode({ kind: "delete", flow: FLOW }));
  });
});

it("says in words what the switch refuses", () => {
  const of = (hex: string) => describeRefusal(Buffer.from(hex, "hex"));
  expect(of("00050001ffff")).toBe("OpenFlow error 5 (flow mod failed), code 1");
  expect(of("000c0002")).toBe("OpenFlow error 12 (unknown), code 2");
  expect(of("0005")).toBe("OpenFlow error that is cut short");
});
