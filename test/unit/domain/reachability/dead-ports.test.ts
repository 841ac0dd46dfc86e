import { expect, it } from "vitest";
import { parseIp } from "../../../../src/domain/cidr.js";
import { hideFarSide } from "../../../../src/domain/reachability/far-side.js";
import { judge } from "../../../../src/domain/reachability/judge.js";
import type { Facts } from "../../../../src/domain/reachability/question.js";
import {
  agree,
  type TraceOutcome,
  untraceable,
} from "../../../../src/domain/reachability/trace.js";
import type { Verdict } from "../../../../src/domain/reachability/verdict.js";
import { autoRouted, peering, vpc } from "../../pipeline/topologies.js";

const [a, b] = [vpc(1, ["10.10.1.0/24", "10.10.2.0/24"]), vpc(2, ["10.20.1.0/24"])];
const { vpcs, peerings } = autoRouted({ vpcs: [a, b], peerings: [peering(101, a, b)] });
const SENDER = "eni-1-0";
const NEAR = { id: "eni-1-1", ip: "10.10.2.10" };
const FAR = { id: "eni-2-0", ip: "10.20.1.10" };

interface Circumstances {
  readonly dead?: readonly string[];
  readonly unplugged?: readonly string[];
  readonly outage?: string;
}

function verdictOn(to: string, { dead = [], unplugged = [], outage }: Circumstances): Verdict {
  const facts: Facts = {
    vpcs: new Map(vpcs.map((each) => [each.id, each])),
    peerings,
    isPluggedIn: (id) => !unplugged.includes(id),
    isFull: () => false,
    deadPort: (id) => (dead.includes(id) ? `port of ${id} has no device` : undefined),
    outage,
  };
  const address = parseIp(to);
  if (address === undefined) throw new Error(to);
  const opening = { kind: "ports", protocol: 6, port: 80 } as const;
  const question = { vpcId: "vpc-1", networkInterfaceId: SENDER, to: address, opening };
  const verdict = judge(facts, question);
  if (verdict === undefined) throw new Error("no verdict");
  return verdict;
}

it("says which end is dead, and whose it is", () => {
  const reason = (id: string) => expect.stringContaining(`port of ${id} has no device`);
  const dead = (id: string, code: string, beyond: boolean) => {
    return { code, beyond, reason: reason(id) };
  };
  const both = [SENDER, NEAR.id];
  expect(verdictOn(NEAR.ip, { dead: [SENDER] }).stop).toMatchObject(
    dead(SENDER, "senderPortDead", false),
  );
  expect(verdictOn(NEAR.ip, { dead: both }).stop).toMatchObject(
    dead(SENDER, "senderPortDead", false),
  );
  expect(verdictOn(NEAR.ip, { dead: [NEAR.id] }).stop).toMatchObject(
    dead(NEAR.id, "receiverPortDead", false),
  );
  expect(verdictOn(FAR.ip, { dead: [FAR.id] }).stop).toMatchObject(
    dead(FAR.id, "receiverPortDead", true),
  );
});

it("tells a stranger of a dead port what it tells of one that is not there", () => {
  const dead = hideFarSide(verdictOn(FAR.ip, { dead: [FAR.id] }));
  expect(dead).toEqual(hideFarSide(verdictOn(FAR.ip, { unplugged: [FAR.id] })));
  expect(dead.stop?.code).toBe("farSide");
});

it("says first that nothing passes at all", () => {
  const { stop } = verdictOn(NEAR.ip, { dead: [SENDER], outage: "it is frozen" });
  expect(stop).toMatchObject({ code: "switchOutage", beyond: false });
  expect(stop?.reason).toContain("it is frozen");
});

it("has no packet followed out of a dead port, or while nothing passes", () => {
  expect(untraceable(verdictOn(NEAR.ip, { dead: [SENDER] }))).toBeDefined();
  expect(untraceable(verdictOn(NEAR.ip, { outage: "it is frozen" }))).toBeDefined();
});

it("finds no drift whether the receiver's flows are there or not", () => {
  const verdict = verdictOn(NEAR.ip, { dead: [NEAR.id] });
  for (const [delivered, dropped] of [
    [{ networkInterfaceId: NEAR.id }, undefined],
    [undefined, "receiver"],
  ] as const) {
    const there = { steps: [], delivered, dropped };
    const outcome: TraceOutcome = { kind: "traced", there, back: undefined };
    expect(agree(verdict, { networkInterfaceId: SENDER }, outcome)).toBe(true);
  }
});
