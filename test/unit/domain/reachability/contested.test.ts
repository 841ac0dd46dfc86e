import { describe, expect, it } from "vitest";
import { cidr, type Ip, parseIp } from "../../../../src/domain/cidr.js";
import type { VpcIntent } from "../../../../src/domain/intent.js";
import type { WithheldFact } from "../../../../src/domain/reachability/contested.js";
import { hideFarSide } from "../../../../src/domain/reachability/far-side.js";
import { judge } from "../../../../src/domain/reachability/judge.js";
import type { Verdict } from "../../../../src/domain/reachability/verdict.js";
import { peering, type Routes, routed, vpc } from "../../pipeline/topologies.js";

const TO = "10.20.1.10";
const CONTESTED = cidr("10.20.1.0/24");

function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

/** V is peered with W, and with A, which has added a part of W's block with a host in it. */
const w = vpc(2, ["10.20.1.0/24"]);
const a = { ...vpc(3, ["10.20.1.0/24"]), blocks: [cidr("10.30.0.0/16"), CONTESTED] };
const v = vpc(1, ["10.10.1.0/24"]);
const toW = peering(101, v, w);
const toA = peering(102, v, a);
const WITHHELD: WithheldFact = {
  routeTableId: "rtb-1-0",
  destination: CONTESTED,
  vpcPeeringId: "pcx-102",
};

interface Case {
  readonly routes: Routes;
  readonly withheld?: readonly WithheldFact[];
  readonly meantVpcId?: string;
  readonly settling?: boolean;
  /** The asker, and what it asks for; V's and the contested address unless told. */
  readonly from?: VpcIntent;
  readonly to?: string;
}

function ask({ routes, withheld, meantVpcId, settling = false, from = v, to = TO }: Case): Verdict {
  const back = [routed(w, { "10.10.0.0/16": 101 }), routed(a, { "10.10.0.0/16": 102 })];
  const vpcs = [routed(v, routes), ...back];
  const facts = {
    vpcs: new Map(vpcs.map((each) => [each.id, each])),
    peerings: [toW, { ...toA, settling }],
    withheld,
    isPluggedIn: () => true,
    isFull: () => false,
  };
  const networkInterfaceId = `eni-${from.number}-0`;
  const opening = { kind: "ports", protocol: 6, port: 80 } as const;
  const verdict = judge(facts, {
    vpcId: from.id,
    networkInterfaceId,
    to: ip(to),
    meantVpcId,
    opening,
  });
  if (verdict === undefined) throw new Error("no verdict");
  return verdict;
}

const BOTH = [
  { block: CONTESTED, vpcPeeringId: "pcx-102", withheld: true },
  { block: cidr("10.20.0.0/16"), vpcPeeringId: "pcx-101", withheld: false },
];

describe("a destination that two peers have", () => {
  it("is named as contested where it is reached", () => {
    const { stop, contested } = ask({ routes: { "10.20.0.0/16": 101 }, withheld: [WITHHELD] });
    expect(stop).toBeUndefined();
    expect(contested).toEqual(BOTH);
  });

  it("is named without a withheld route too", () => {
    const { contested } = ask({ routes: { "10.20.0.0/16": 101 } });
    expect(contested.map(({ withheld }) => withheld)).toEqual([false, false]);
  });

  it("says so where no route leads to it", () => {
    const { stop, contested } = ask({ routes: {}, withheld: [WITHHELD] });
    expect(contested).toEqual(BOTH);
    expect(stop?.code).toBe("noRoute");
    expect(stop?.reason).toMatch(/contested.*pcx-102 \(10\.20\.1\.0\/24.*withheld from rtb-1-0\)/);
    expect(stop?.reason).toMatch(/pcx-101 \(10\.20\.0\.0\/16\)/);
    expect(stop?.remedy).toMatch(/a route for 10\.20\.1\.10 in rtb-1-0/);
  });

  it("says so where the other one was meant", () => {
    const routes = { "10.20.0.0/16": 101 };
    const { stop } = ask({ routes, withheld: [WITHHELD], meantVpcId: a.id });
    expect(stop?.code).toBe("routedElsewhere");
    expect(stop?.reason).toMatch(/pcx-102 .*withheld/);
  });

  it("says so where the peer that is routed to has nobody there", () => {
    const routes = { "10.20.0.0/16": 101 };
    const { stop } = ask({ routes, withheld: [WITHHELD], to: "10.20.1.99" });
    expect(stop?.code).toBe("noSuchAddress");
    expect(stop?.reason).toMatch(/contested/);
  });

  it("does not say it of what the table of the subnet has nothing to do with", () => {
    const elsewhere = { ...WITHHELD, routeTableId: "rtb-1-1" };
    const { contested } = ask({ routes: {}, withheld: [elsewhere], settling: true });
    expect(contested).toEqual([]);
  });

  it("names no block of a peer that is not told yet", () => {
    expect(ask({ routes: {}, settling: true }).contested).toEqual([]);
  });
});

describe("a receiver whose table withheld the route back", () => {
  const routes = { "10.20.0.0/16": 101 };
  const asked = { routes, withheld: [WITHHELD], from: a, to: "10.10.1.10" };

  it("says so to whoever may know", () => {
    const { stop, contested } = ask(asked);
    expect(stop?.code).toBe("ambiguousSource");
    expect(stop?.reason).toMatch(/contested.*withheld from rtb-1-0/);
    expect(contested, "the sender has nothing to choose").toEqual([]);
  });

  it("says nothing of it to a stranger", () => {
    const shown = JSON.stringify(hideFarSide(ask(asked)).stop);
    expect(shown).toContain("farSide");
    expect(shown).not.toMatch(/contested|withheld|rtb-1|pcx-101/);
  });
});

it("a stranger's far side tells the same, contested or not, of what is over there", () => {
  const routes = { "10.20.0.0/16": 101 };
  const there = hideFarSide(ask({ routes, withheld: [WITHHELD], to: "10.20.1.99" }));
  expect(there.stop?.reason).not.toMatch(/contested/);
  expect(there.contested).toEqual(BOTH);
});
