import fc from "fast-check";
import { expect, it } from "vitest";
import { hideFarSide } from "../../../../src/domain/reachability/far-side.js";
import { judge } from "../../../../src/domain/reachability/judge.js";
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
