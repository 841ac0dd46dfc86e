import { describe, expect, it } from "vitest";
import { addressAt, cidr } from "../../../src/domain/cidr.js";
import type { RuleIntent, RulePeer, VpcIntent } from "../../../src/domain/intent.js";
import { TCP, type Traffic } from "../../../src/domain/traffic.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { formatFlow } from "../../../src/openflow/text.js";
import { type VpcPorts, vpcBridgeFlows } from "../../../src/pipeline/render.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { OPTIONS, portsOf, vpc } from "./topologies.js";

const OWN = 5;
const NAMED = 6;
const LOCAL = 0;

const bare = vpc(1, ["10.10.1.0/24"]);
const tcp = (from: number, to = from): Traffic => ({ kind: "ports", protocol: TCP, from, to });
const block = (text: string): RulePeer => ({ kind: "block", block: cidr(text) });
const group: RulePeer = { kind: "group", id: "sg-6", group: NAMED };

/** Flows that somebody's rules come to, besides the table miss. */
function rendered(
  rules: readonly (readonly [RuleIntent["direction"], Traffic, RulePeer])[],
  members = 0,
  way = LOCAL,
  { groups = [OWN], plugged = members }: { groups?: readonly number[]; plugged?: number } = {},
): Flow[] {
  const numbered = rules.map(([direction, traffic, peer], index) => {
    const number = 100 + index;
    return { id: `sgr-${number}`, number, direction, traffic, peer };
  });
  const named = Array.from({ length: members }, (_, i) => ({
    id: `eni-named-${i}`,
    ip: addressAt(cidr("10.10.0.0/16"), BigInt(i)),
    secondaryIps: [],
    addressPairs: [],
  }));
  const intent: VpcIntent = {
    ...bare,
    interfaces: bare.interfaces.map((eni) => ({ ...eni, groups })),
    securityGroups: [{ id: "sg-5", number: OWN, rules: numbered }],
    peerGroups: [
      { group: NAMED, peering: way, vpcId: `vpc-${way}`, members: named, limited: false },
    ],
  };
  return vpcBridgeFlows(intent, [], withMembers(intent, plugged), OPTIONS).filter(
    ({ table, priority }) => table === VPC_TABLES.rules.number && priority > 0,
  );
}

/** The first so many members are plugged in: in this VPC, and in any other. */
function withMembers(intent: VpcIntent, plugged: number): VpcPorts {
  const ports = portsOf(intent);
  const members = intent.peerGroups.flatMap((group) => group.members).slice(0, plugged);
  const zones = { caller: 2, called: 3 };
  const places = members.map(({ id }, i) => [id, { port: 100 + i, zones }] as const);
  return {
    ...ports,
    interfaces: new Map([...ports.interfaces, ...places]),
    peerInterfaces: new Set(members.map(({ id }) => id)),
  };
}

const textOf = (flows: readonly Flow[]) =>
  flows.map((flow) => formatFlow(flow).replace(/^.*priority=/, ""));

describe("rules", () => {
  it("about a group are N flows for members and M for rules, not N x M", () => {
    const rules = Array.from(
      { length: 50 },
      (_, i) => ["ingress", tcp(1000 + 2 * i), group] as const,
    );
    expect(rendered(rules, 1000)).toHaveLength(1000 + 50 + 1);
  });

  it("in both directions count members once for each", () => {
    const flows = rendered(
      [
        ["ingress", tcp(80), group],
        ["egress", tcp(80), group],
      ],
      100,
    );
    expect(flows).toHaveLength(2 * 100 + 2 + 1);
  });

  it("of many blocks and a wide range are conjunctions too", () => {
    const blocks = Array.from({ length: 20 }, (_, i) => block(`10.${i}.0.0/16`));
    const flows = rendered(blocks.map((peer) => ["ingress", tcp(1, 65_534), peer] as const));
    expect(flows).toHaveLength(20 + 30 + 1);
  });

  it("of one block and one port are one flow", () => {
    const flows = rendered([["ingress", tcp(443), block("10.0.0.0/8")]]);
    expect(textOf(flows)).toEqual([
      "100,ct_state=-inv+trk,ct_nw_src=10.0.0.0/8,ct_nw_proto=6,ct_tp_dst=443,ip,reg4=0x5,reg5=0x2 actions=set_field:0x1->reg7",
    ]);
  });

  it("outward name the receiver", () => {
    const [flow] = rendered([["egress", tcp(443), block("10.0.0.0/8")]]);
    expect(flow?.match).toMatchObject({ ct_nw_dst: "10.0.0.0/8", reg5: "0x1" });
  });

  it("about a group of a peer know its members only on the way to them", () => {
    const flows = rendered([["ingress", tcp(80), group]], 1, 101);
    expect(textOf(flows)).toEqual([
      "50,ct_state=-inv+trk,ct_nw_proto=6,ct_tp_dst=80,ip,reg4=0x5,reg5=0x2 actions=conjunction(6,2/2)",
      "50,conj_id=6 actions=set_field:0x1->reg7",
      "50,ct_state=-inv+trk,ct_nw_src=10.10.0.0,ip,reg1=0x65,reg5=0x2 actions=conjunction(6,1/2)",
    ]);
  });

  it.each([
    ["of the same VPC", LOCAL],
    ["of a peer", 101],
  ])("about a group %s cost nothing for members that are plugged in nowhere", (_, way) => {
    const rules = [
      ["ingress", tcp(80), group],
      ["egress", tcp(80), group],
    ] as const;
    expect(rendered(rules, 481, way, { plugged: 0 })).toEqual([]);
    expect(rendered(rules, 481, way, { plugged: 3 })).toHaveLength(2 * 3 + 2 + 1);
    expect(rendered(rules, 0, way)).toEqual([]);
  });

  it("keep conjunctions of groups and of blocks apart by number", () => {
    const two = [block("10.0.0.0/8"), block("172.16.0.0/12"), block("192.168.0.0/16")];
    const wide = two.map((peer) => ["ingress", tcp(1, 6), peer] as const);
    const flows = rendered([["egress", tcp(80), group], ...wide], 1);
    const ids = flows.flatMap(({ match }) => match["conj_id"] ?? []);
    expect(ids).toEqual([String(NAMED), String(2 ** 31 + 101)]);
  });

  it.each([
    [{ kind: "all" }, [{}]],
    [{ kind: "protocol", protocol: 47 }, [{ ct_nw_proto: "47" }]],
    [{ kind: "protocol", protocol: 0 }, [{ nw_proto: "0" }]],
    [{ kind: "icmp", type: null, code: null }, [{ ct_nw_proto: "1" }]],
    [{ kind: "icmp", type: 8, code: null }, [{ ct_nw_proto: "1", reg6: "0x800/0xff00" }]],
    [{ kind: "icmp", type: 0, code: null }, [{ ct_nw_proto: "1", reg6: "0/0xff00" }]],
    [{ kind: "icmp", type: 0, code: 0 }, [{ ct_nw_proto: "1", reg6: "0/0xffff" }]],
    [{ kind: "icmp", type: 3, code: 4 }, [{ ct_nw_proto: "1", reg6: "0x304/0xffff" }]],
    [tcp(0, 65_535), [{ ct_nw_proto: "6" }]],
    [
      tcp(80, 82),
      [
        { ct_nw_proto: "6", ct_tp_dst: "0x50/0xfffe" },
        { ct_nw_proto: "6", ct_tp_dst: "82" },
      ],
    ],
  ] as const satisfies [Traffic, object[]][])("for %j ask for just that", (traffic, expected) => {
    const whose = { ip: true, ct_state: "-inv+trk", reg4: "0x5", reg5: "0x2" };
    const flows = rendered([["ingress", traffic, block("0.0.0.0/0")]]);
    expect(flows.map(({ match }) => match)).toEqual(expected.map((e) => ({ ...whose, ...e })));
  });

  it("of a group that nobody is in are not there, nor the members that only they name", () => {
    expect(rendered([["ingress", tcp(1, 65_534), group]], 100, LOCAL, { groups: [] })).toEqual([]);
  });

  it("that say the same twice are there once", () => {
    const same = ["ingress", tcp(80), block("10.0.0.0/8")] as const;
    expect(rendered([same, same])).toEqual(rendered([same]));
  });
});
