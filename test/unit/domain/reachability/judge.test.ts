import { describe, expect, it } from "vitest";
import { cidr, type Ip, parseIp } from "../../../../src/domain/cidr.js";
import type { RuleIntent, VpcIntent } from "../../../../src/domain/intent.js";
import { hideFarSide } from "../../../../src/domain/reachability/far-side.js";
import { farVpcId, judge } from "../../../../src/domain/reachability/judge.js";
import type { Facts, Opening, Question } from "../../../../src/domain/reachability/question.js";
import type { Verdict } from "../../../../src/domain/reachability/verdict.js";
import {
  autoRouted,
  peering,
  routed,
  TOPOLOGIES,
  type Topology,
  vpc,
} from "../../pipeline/topologies.js";

const WEB: Opening = { kind: "ports", protocol: 6, port: 80 };
const PING: Opening = { kind: "icmp", type: 8, code: 0 };

const a = vpc(1, ["10.10.1.0/24", "10.10.2.0/24"]);
const b = vpc(2, ["10.20.1.0/24"]);
const PEERED = autoRouted({ vpcs: [a, b], peerings: [peering(101, a, b)] });

function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

interface Ask {
  readonly from?: string;
  readonly to: string;
  readonly opening?: Opening;
  readonly unplugged?: readonly string[];
  readonly meantVpcId?: string;
  /** Who has as many connections as it may, such as `caller eni-1-0`. */
  readonly full?: readonly string[];
}

function factsOf({ vpcs, peerings }: Topology, { unplugged = [], full = [] }: Ask): Facts {
  return {
    vpcs: new Map(vpcs.map((each) => [each.id, each])),
    peerings,
    isPluggedIn: (id) => !unplugged.includes(id),
    isFull: (id, role) => full.includes(`${role} ${id}`),
  };
}

function questionOf({ from = "eni-1-0", to, opening = WEB, meantVpcId }: Ask): Question {
  const vpcId = `vpc-${from.split("-")[1]}`;
  return { vpcId, networkInterfaceId: from, to: ip(to), opening, meantVpcId };
}

function ask(topology: Topology, question: Ask): Verdict {
  const verdict = judge(factsOf(topology, question), questionOf(question));
  if (verdict === undefined) throw new Error("no verdict");
  return verdict;
}

/** The topology with one VPC changed. */
function changed({ vpcs, peerings }: Topology, number: number, change: Partial<VpcIntent>) {
  const changedVpcs = vpcs.map((each) => (each.number === number ? { ...each, ...change } : each));
  return { vpcs: changedVpcs, peerings };
}

/** A security group of a VPC with these rules, instead of the open one. */
function withRules(topology: Topology, number: number, rules: readonly Partial<RuleIntent>[]) {
  const peer = { kind: "block", block: cidr("0.0.0.0/0") } as const;
  const made = rules.map((rule, index) => {
    const base = { id: `sgr-${index}`, number: index, direction: "ingress", peer } as const;
    return { ...base, traffic: { kind: "all" } as const, ...rule };
  });
  return changed(topology, number, { securityGroups: [{ id: "sg-x", number, rules: made }] });
}

const kinds = ({ hops }: Verdict) => hops.map(({ kind }) => kind);

describe("a connection that comes about", () => {
  it("within a VPC takes its routes and one rule each way", () => {
    const verdict = ask(PEERED, { to: "10.10.2.10" });
    expect(verdict.stop).toBeUndefined();
    const inside = ["interface", "subnet", "route", "rule", "subnet", "rule", "interface"];
    expect(kinds(verdict)).toEqual([...inside, "routeBack"]);
    expect(verdict.answering).toEqual({ networkInterfaceId: "eni-1-1" });
  });

  it("across a peering names the peering and the routes of both sides", () => {
    const { stop, hops, through } = ask(PEERED, { to: "10.20.1.10" });
    expect(stop).toBeUndefined();
    expect(through).toEqual({ vpcPeeringId: "pcx-101", number: 101, toVpcId: "vpc-2" });
    expect(hops.filter(({ kind }) => kind === "route" || kind === "routeBack")).toMatchObject([
      { vpcId: "vpc-1", routeTableId: "rtb-1-0", vpcPeeringId: "pcx-101" },
      { vpcId: "vpc-2", routeTableId: "rtb-2-0", vpcPeeringId: "pcx-101" },
    ]);
  });

  it("to a gateway is a ping, and asks no security group", () => {
    const closed = changed(PEERED, 1, { securityGroups: [] });
    const verdict = ask(closed, { to: "10.10.2.1", opening: PING });
    expect([verdict.stop, verdict.answering]).toEqual([undefined, "gateway"]);
    expect(kinds(verdict)).toEqual(["interface", "subnet", "gateway"]);
  });
});

describe("what stops a connection first", () => {
  const rivals = TOPOLOGIES["equal-blocks"];
  const noWayBack = changed(PEERED, 2, { routeTables: routed(b, {}).routeTables });
  const [, unrouted] = rivals.vpcs;
  if (unrouted === undefined) throw new Error("no rival");
  const egress = { direction: "egress" } as const;
  const cases: Record<string, [Topology, Ask, code: string, remedy: RegExp]> = {
    "nothing is plugged in": [
      PEERED,
      { to: "10.20.1.10", unplugged: ["eni-1-0"] },
      "senderNotPluggedIn",
      /iface-id=eni-1-0/,
    ],
    multicast: [PEERED, { to: "224.0.0.251" }, "notUnicast", /address/],
    "the limited broadcast": [PEERED, { to: "255.255.255.255" }, "notUnicast", /address/],
    "the subnet's broadcast": [PEERED, { to: "10.10.1.255" }, "notUnicast", /address/],
    "no route, with a peering at hand": [
      { ...PEERED, vpcs: [a, b] },
      { to: "10.20.1.10" },
      "noRoute",
      /route to pcx-101 in rtb-1-0 for 10\.20\.0\.0\/16/,
    ],
    "no route, and no peering": [PEERED, { to: "10.99.0.1" }, "noRoute", /active peering/],
    "a blackhole": [
      changed(PEERED, 1, { routeTables: routed(a, { "10.20.0.0/16": null }).routeTables }),
      { to: "10.20.1.10" },
      "blackhole",
      /10\.20\.0\.0\/16 in rtb-1-0 deleted/,
    ],
    "a route to somebody else": [
      PEERED,
      { to: "10.20.1.10", meantVpcId: "vpc-3" },
      "routedElsewhere",
      /peering with vpc-3/,
    ],
    "an ICMP message that opens nothing": [
      PEERED,
      { to: "10.20.1.10", opening: { kind: "icmp", type: 0, code: 0 } },
      "opensNoConnection",
      /connection that it is about/,
    ],
    "ICMPv6 within IPv4": [
      PEERED,
      { to: "10.20.1.10", opening: { kind: "protocol", protocol: 58 } },
      "opensNoConnection",
      /no place in IPv4/,
    ],
    "no egress rule": [
      withRules(PEERED, 1, [{ ...egress, traffic: { kind: "icmp", type: null, code: null } }]),
      { to: "10.20.1.10" },
      "egressPolicy",
      /an egress rule for tcp port 80 to 10\.20\.1\.10 in a security group of eni-1-0/,
    ],
    "an address that the peering does not connect": [
      changed(PEERED, 1, { routeTables: routed(a, { "0.0.0.0/0": 101 }).routeTables }),
      { to: "10.99.0.1" },
      "notAdmitted",
      /10\.20\.0\.0\/16/,
    ],
    "an address of nobody, here": [PEERED, { to: "10.10.2.99" }, "noSuchAddress", /vpc-1/],
    "an address of nobody, there": [PEERED, { to: "10.20.1.99" }, "noSuchAddress", /vpc-2/],
    "an address outside every subnet": [PEERED, { to: "10.20.9.9" }, "noSuchAddress", /vpc-2/],
    "a gateway asked for more than ping": [
      PEERED,
      { to: "10.10.1.1" },
      "gatewayOnlyAnswersPing",
      /network interface/,
    ],
    "a peer's gateway": [
      PEERED,
      { to: "10.20.1.1", opening: PING },
      "gatewayOnlyAnswersPing",
      /network interface/,
    ],
    "a sender that has opened all that it may": [
      PEERED,
      { to: "10.20.1.10", full: ["caller eni-1-0"] },
      "connectionLimit",
      /fewer connections that it has opened/,
    ],
    "a receiver that others have filled": [
      PEERED,
      { to: "10.20.1.10", full: ["called eni-2-0"] },
      "connectionLimit",
      /fewer connections that others have opened to it/,
    ],
    "a receiver that is not plugged in": [
      PEERED,
      { to: "10.20.1.10", unplugged: ["eni-2-0"] },
      "receiverNotPluggedIn",
      /iface-id=eni-2-0/,
    ],
    "a rival that is meant by the receiver's routes": [
      rivals,
      { from: "eni-3-0", to: "10.10.1.10" },
      "ambiguousSource",
      /route in rtb-1-0 to pcx-102 for 10\.20\.1\.10/,
    ],
    "no ingress rule": [
      withRules(PEERED, 2, [{ ...egress }, { traffic: { kind: "protocol", protocol: 47 } }]),
      { to: "10.20.1.10" },
      "ingressPolicy",
      /an ingress rule for tcp port 80 from 10\.10\.1\.10/,
    ],
    "no route back": [
      noWayBack,
      { to: "10.20.1.10" },
      "noRouteBack",
      /a route in rtb-2-0 to pcx-101 for 10\.10\.1\.10/,
    ],
  };

  it.each(Object.entries(cases))("%s", (_what, [topology, question, code, remedy]) => {
    const { stop } = ask(topology, question);
    expect(stop).toMatchObject({ code, remedy: expect.stringMatching(remedy) });
  });

  it("without a route back the first packet has arrived all the same", () => {
    expect(ask(noWayBack, { to: "10.20.1.10" }).answering).toEqual({
      networkInterfaceId: "eni-2-0",
    });
  });
});

const NOTHING_FURTHER = { secondaryIps: [], addressPairs: [] };

describe("groups that name groups", () => {
  const named = (group: number) => ({ kind: "group", id: `sg-${group}`, group }) as const;
  const members = (group: number, peeringNumber: number, ...texts: string[]) => ({
    group,
    peering: peeringNumber,
    vpcId: peeringNumber === 0 ? "vpc-1" : "vpc-2",
    members: texts.map((text) => ({ id: "eni-2-0", ip: ip(text), ...NOTHING_FURTHER })),
    limited: false,
  });
  const guarded = (...peerGroups: VpcIntent["peerGroups"]) =>
    changed(withRules(PEERED, 1, [{ direction: "egress", peer: named(7) }]), 1, { peerGroups });

  it("let their members be called through the peering that leads to them, and no other", () => {
    const to = "10.20.1.10";
    expect(ask(guarded(members(7, 101, to)), { to }).stop).toBeUndefined();
    expect(ask(guarded(members(7, 0, to)), { to }).stop?.code).toBe("egressPolicy");
    expect(ask(guarded(members(7, 101)), { to }).stop?.code).toBe("egressPolicy");
    expect(ask(guarded(), { to }).stop?.code).toBe("egressPolicy");
  });

  it("let nobody be called who is plugged in nowhere, which their own rules show already", () => {
    const to = "10.20.1.10";
    const { stop, hops } = ask(guarded(members(7, 101, to)), { to, unplugged: ["eni-2-0"] });
    expect(stop).toMatchObject({ code: "receiverNotPluggedIn", beyond: true, atEgress: true });
    expect(hops.map(({ kind }) => kind)).toEqual(["interface", "subnet", "route"]);
    const byBlock = ask(PEERED, { to, unplugged: ["eni-2-0"] }).stop;
    expect(byBlock?.code).toBe("receiverNotPluggedIn");
    expect(byBlock?.atEgress).toBeUndefined();
  });

  it("say of whom beyond the limit that he is not among those in force", () => {
    const to = "10.20.1.10";
    const joined = (limited: boolean, ...groups: number[]) => {
      const topology = guarded({ ...members(7, 101, "10.20.1.11"), limited });
      const [eni] = b.interfaces;
      return changed(topology, 2, { interfaces: eni === undefined ? [] : [{ ...eni, groups }] });
    };
    const stopped = (topology: Topology) => ask(topology, { to }).stop;
    expect(stopped(joined(true, 7))).toMatchObject({ code: "egressPolicy", beyond: false });
    expect(stopped(joined(true, 7))?.reason).toMatch(/sgr-\d+ names a group with more members/);
    for (const other of [joined(true), joined(false, 7), joined(true, 8)]) {
      expect(stopped(other)?.code).toBe("egressPolicy");
      expect(stopped(other)?.reason).not.toContain("more members");
    }
    expect(hideFarSide(ask(joined(true, 7), { to }))).toEqual(
      hideFarSide(ask(joined(true), { to })),
    );
  });

  it("do not tell a stranger who their members are", () => {
    const to = "10.20.1.10";
    const unplugged = ["eni-2-0"];
    const member = hideFarSide(ask(guarded(members(7, 101, to)), { to, unplugged }));
    const nobody = hideFarSide(ask(guarded(members(7, 101)), { to }));
    const full = ["caller eni-1-0"];
    expect(hideFarSide(ask(guarded(members(7, 101, to)), { to, full }))).toEqual(member);
    expect(member).toEqual({ ...nobody, egressTellsOfFarSide: true });
    expect(member.stop?.code).toBe("farSide");
    const outside = hideFarSide(ask(guarded(), { to }));
    expect(outside.stop?.code, "a rule that is not in force").toBe("egressPolicy");
  });
});

describe("a far side of strangers", () => {
  const strangers: Record<string, [Topology, Ask]> = {
    "nobody has the address": [PEERED, { to: "10.20.1.99" }],
    "no subnet has it": [PEERED, { to: "10.20.9.9" }],
    "a gateway has it": [PEERED, { to: "10.20.1.1" }],
    "it is not plugged in": [PEERED, { to: "10.20.1.10", unplugged: ["eni-2-0"] }],
    "no rule lets it in": [withRules(PEERED, 2, []), { to: "10.20.1.10" }],
    "it has no room": [PEERED, { to: "10.20.1.10", full: ["called eni-2-0"] }],
    "there is no route back": [
      changed(PEERED, 2, { routeTables: routed(b, {}).routeTables }),
      { to: "10.20.1.10" },
    ],
  };

  it("gives one and the same answer whatever stops it there", () => {
    const answers = Object.values(strangers).map(([topology, question]) =>
      hideFarSide(ask(topology, question)),
    );
    const [first] = answers;
    expect(first?.stop).toMatchObject({ code: "farSide" });
    expect(first === undefined ? [] : kinds(first)).toEqual([
      "interface",
      "subnet",
      "route",
      "rule",
      "peering",
    ]);
    for (const answer of answers) expect(answer).toEqual(first);
  });

  it("shows of a connection that comes about the near side only", () => {
    const { hops } = hideFarSide(ask(PEERED, { to: "10.20.1.10" }));
    expect(hops.at(-1)?.kind).toBe("peering");
    expect(hops.filter((hop) => hop.kind !== "peering" && hop.vpcId === "vpc-2")).toEqual([]);
  });

  it("does not tell by a rule of the near side which of its groups the destination is in", () => {
    const peer = { kind: "group", id: "sg-7", group: 7 } as const;
    const peerGroups = [
      {
        ...{ group: 7, peering: 101, vpcId: "vpc-2", limited: false },
        members: [{ id: "eni-2-0", ip: ip("10.20.1.10"), ...NOTHING_FURTHER }],
      },
    ];
    const topology = changed(withRules(PEERED, 1, [{ direction: "egress", peer }]), 1, {
      peerGroups,
    });
    const { stop, hops } = hideFarSide(ask(topology, { to: "10.20.1.10" }));
    expect(stop).toBeUndefined();
    expect(hops.filter(({ kind }) => kind === "rule")).toEqual([]);
  });

  it("does not tell its blocks before the peering is active", () => {
    const settling = {
      ...PEERED,
      peerings: PEERED.peerings.map((p) => ({ ...p, settling: true })),
    };
    const told = (topology: Topology, to: string) => {
      const { stop } = ask(topology, { to });
      return `${stop?.code} ${stop?.reason} ${stop?.remedy}`;
    };
    const unroutedOf = (topology: Topology) =>
      changed(topology, 1, { routeTables: [{ id: "rtb-1", number: 1, routes: [] }] });
    expect(told(unroutedOf(PEERED), "10.20.1.10")).toMatch(/^noRoute .*10\.20\.0\.0\/16/);
    expect(told(unroutedOf(settling), "10.20.1.10")).not.toContain("/16");
    const everywhere = changed(settling, 1, {
      routeTables: routed(a, { "0.0.0.0/0": 101 }).routeTables,
    });
    const outside = hideFarSide(ask(everywhere, { to: "10.99.0.1" }));
    expect(outside).toEqual(hideFarSide(ask(everywhere, { to: "10.20.9.9" })));
    expect(outside.stop?.code).toBe("farSide");
  });

  it("hides nothing of what stops on the near side", () => {
    const verdict = ask(withRules(PEERED, 1, []), { to: "10.20.1.10" });
    expect(hideFarSide(verdict)).toEqual(verdict);
  });
});

describe("without all the facts", () => {
  it("there is no verdict, but the name of the VPC that is missing", () => {
    const asked = { to: "10.20.1.10" };
    const facts = factsOf({ ...PEERED, vpcs: PEERED.vpcs.slice(0, 1) }, asked);
    const question = questionOf(asked);
    expect(judge(facts, question)).toBeUndefined();
    expect(farVpcId(facts, question)).toBe("vpc-2");
    expect(judge(facts, { ...question, networkInterfaceId: "eni-gone" })).toBeUndefined();
  });
});
