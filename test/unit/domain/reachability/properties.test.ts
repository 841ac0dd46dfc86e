import fc from "fast-check";
import { expect, it } from "vitest";
import { hideFarSide } from "../../../../src/domain/reachability/far-side.js";
import { judge } from "../../../../src/domain/reachability/judge.js";
import { asPlanned, isForNow } from "../../../../src/domain/reachability/plan.js";
import type { Facts } from "../../../../src/domain/reachability/question.js";
import type { Topology } from "../../pipeline/topologies.js";
import { anyGuardedTopology, OPENINGS } from "./arbitrary.js";
import { everyInterface, expected } from "./oracle.js";

function factsOf({ vpcs, peerings }: Topology): Facts {
  return {
    vpcs: new Map(vpcs.map((vpc) => [vpc.id, vpc])),
    peerings,
    isPluggedIn: () => true,
    isFull: () => false,
  };
}

/** Every interface asks for every address, in every way. */
function everyQuestion(topology: Topology) {
  const ends = everyInterface(topology);
  return ends.flatMap(({ vpc, eni }) =>
    ends
      .filter((other) => other.eni.ip.value !== eni.ip.value)
      .flatMap((other) => OPENINGS.map((opening) => ({ vpc, eni, to: other.eni.ip, opening }))),
  );
}

it("agrees with an oracle that knows no verdict", () => {
  let reached = 0;
  fc.assert(
    fc.property(anyGuardedTopology(), (topology) => {
      for (const { vpc, eni, to, opening } of everyQuestion(topology)) {
        const question = { vpcId: vpc.id, networkInterfaceId: eni.id, to, opening };
        const verdict = judge(factsOf(topology), question);
        const { delivered, reachable } = expected(topology, vpc, eni, to, opening);
        const answering = delivered === undefined ? undefined : { networkInterfaceId: delivered };
        expect(verdict?.answering).toEqual(answering);
        expect(verdict?.stop === undefined).toBe(reachable);
        if (reachable) reached += 1;
      }
    }),
  );
  expect(reached).toBeGreaterThan(100);
});

it("plans whatever the switch is like as if everybody were plugged in", () => {
  const switches = fc.record({
    unplugged: fc.func(fc.boolean()),
    dead: fc.func(fc.boolean()),
    full: fc.func(fc.boolean()),
    outage: fc.option(fc.constant("it is away"), { nil: undefined }),
  });
  let differ = 0;
  fc.assert(
    fc.property(anyGuardedTopology(), switches, (topology, { unplugged, dead, full, outage }) => {
      const present: Facts = {
        ...factsOf(topology),
        isPluggedIn: (id) => !unplugged(id),
        deadPort: (id) => (dead(id) ? "it is dead" : undefined),
        isFull: (id, role) => full(id, role),
        outage,
      };
      for (const { vpc, eni, to, opening } of everyQuestion(topology)) {
        const question = { vpcId: vpc.id, networkInterfaceId: eni.id, to, opening };
        const plan = judge(asPlanned(present), question);
        expect(plan).toEqual(judge(factsOf(topology), question));
        if (plan === undefined) throw new Error("no verdict");
        expect(isForNow(plan)).toBe(false);
        const verdict = judge(present, question);
        if (verdict === undefined) throw new Error("no verdict");
        // What is not stopped for now only is the same with everybody plugged in.
        if (isForNow(verdict)) differ += 1;
        else expect(verdict.stop).toEqual(plan.stop);
      }
    }),
    { numRuns: 30 },
  );
  expect(differ).toBeGreaterThan(100);
});

it("tells a stranger nothing that depends on what is on the far side, but whether it is reached", () => {
  fc.assert(
    fc.property(anyGuardedTopology(), (topology) => {
      for (const { vpc, eni, to, opening } of everyQuestion(topology)) {
        const question = { vpcId: vpc.id, networkInterfaceId: eni.id, to, opening };
        const verdict = judge(factsOf(topology), question);
        if (verdict?.through === undefined || verdict.stop === undefined) continue;
        const told = hideFarSide(verdict);
        const emptied = judge(
          factsOf(withoutContents(topology, verdict.through.toVpcId)),
          question,
        );
        if (emptied === undefined) throw new Error("no verdict");
        const { hops, stop } = hideFarSide(emptied);
        expect({ hops: told.hops, stop: told.stop }).toEqual({ hops, stop });
      }
    }),
  );
});

/** The same, but with nothing in a VPC: what its groups' members were is in nobody's group. */
function withoutContents({ vpcs, peerings }: Topology, vpcId: string): Topology {
  const far = vpcs.find(({ id }) => id === vpcId);
  const numbers = peerings
    .filter(({ requester, accepter }) => [requester.vpcId, accepter.vpcId].includes(vpcId))
    .map(({ number }) => number);
  return {
    peerings,
    vpcs: vpcs.map((vpc) => {
      if (vpc === far) return { ...vpc, interfaces: [], securityGroups: [], subnets: [] };
      const peerGroups = vpc.peerGroups.map((named) =>
        numbers.includes(named.peering) ? { ...named, members: [] } : named,
      );
      return { ...vpc, peerGroups };
    }),
  };
}
