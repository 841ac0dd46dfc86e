import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cidr, contains } from "../../../src/domain/cidr.js";
import type { PeeringIntent, PeeringSide } from "../../../src/domain/intent.js";
import { routerMac } from "../../../src/domain/mac.js";
import { decodeCookie, ownsCookie } from "../../../src/openflow/cookie.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { flowKey, formatFlow, parseFlow } from "../../../src/openflow/text.js";
import { PRIORITIES } from "../../../src/pipeline/priorities.js";
import { exchangeFlows } from "../../../src/pipeline/render.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { anyTopology } from "./arbitrary.js";
import { anySecurity, secured } from "./secured.js";
import { bridgesOf, OPTIONS, type Topology, uplinksOf } from "./topologies.js";

function everyTopology(check: (topology: Topology) => void): void {
  const any = fc.tuple(anyTopology(), anySecurity());
  fc.assert(fc.property(any, ([topology, security]) => check(secured(topology, security))));
}

const admissions = ({ vpcs, peerings }: Topology) =>
  exchangeFlows(peerings, uplinksOf(vpcs), OPTIONS);

/** The sides that a flow leads from and to, told by the sender's router. */
function sidesOf(
  flow: Flow,
  peerings: readonly PeeringIntent[],
  sender = flow.match["dl_src"],
): [PeeringSide, PeeringSide] {
  const { object } = decodeCookie(flow.cookie);
  const found = peerings.find(({ number }) => number === object);
  if (found === undefined) throw new Error(`a flow of no peering: ${formatFlow(flow)}`);
  expect(found.admitted).toBe(true);
  return sender === routerMac(found.requester.vpcNumber)
    ? [found.requester, found.accepter]
    : [found.accepter, found.requester];
}

function within(side: PeeringSide, text: string | true | undefined): boolean {
  return typeof text === "string" && side.blocks.some((block) => contains(block, cidr(text)));
}

/** The register that holds the peering, in what stays in the VPC. */
const LOCAL = "0";

/** What a VPC's bridge sends to the exchange, and what it takes from there. */
function crossings(flows: readonly Flow[]): { outward: Flow[]; inward: Flow[] } {
  const of = (table: number) =>
    flows.filter((flow) => flow.table === table && flow.priority > PRIORITIES.tableMiss.value);
  return {
    outward: of(VPC_TABLES.peering.number).filter(({ match }) => match["reg1"] !== LOCAL),
    inward: of(VPC_TABLES.exchangeIngress.number),
  };
}

describe("rendering any topology", { timeout: 60_000 }, () => {
  it("gives every flow an identity of its own, a cookie of ours, and text that reads back", () => {
    everyTopology((topology) => {
      for (const flows of bridgesOf(topology).values()) {
        expect(new Set(flows.map(flowKey)).size).toBe(flows.length);
        expect(flows.every((flow) => ownsCookie(OPTIONS.mark)(flow.cookie))).toBe(true);
        expect(flows.map((flow) => parseFlow(formatFlow(flow)))).toEqual(flows);
      }
    });
  });

  it("puts nothing of a peering that is not admitted on any bridge", () => {
    everyTopology((topology) => {
      const admitted = topology.peerings.filter((peering) => peering.admitted);
      expect(bridgesOf(topology)).toEqual(bridgesOf({ ...topology, peerings: admitted }));
    });
  });

  it("admits on the exchange only from blocks of one side to blocks of the other", () => {
    everyTopology((topology) => {
      const uplinks = uplinksOf(topology.vpcs);
      for (const flow of admissions(topology)) {
        const [from, to] = sidesOf(flow, topology.peerings);
        expect(flow.match["in_port"]).toBe(String(uplinks.get(from.vpcId)));
        expect(flow.match["dl_src"]).toBe(routerMac(from.vpcNumber));
        expect(flow.match["dl_dst"]).toBe(routerMac(to.vpcNumber));
        expect(within(from, flow.match["nw_src"])).toBe(true);
        expect(within(to, flow.match["nw_dst"])).toBe(true);
        expect(flow.actions).toBe(`output:${uplinks.get(to.vpcId)}`);
      }
    });
  });

  it("sends to the exchange only from own blocks to those of the next hop", () => {
    everyTopology((topology) => {
      for (const { id, number } of topology.vpcs) {
        const mac = routerMac(number);
        for (const flow of crossings(bridgesOf(topology).get(id) ?? []).outward) {
          const { match, actions } = flow;
          const [own, peer] = sidesOf(flow, topology.peerings, mac);
          expect(match["reg1"]).toBe(`0x${decodeCookie(flow.cookie).object.toString(16)}`);
          expect([own.vpcId, within(own, match["nw_src"])]).toEqual([id, true]);
          expect(within(peer, match["nw_dst"])).toBe(true);
          expect(actions).toContain(`set_field:${mac}->eth_src`);
          expect(actions).toContain(`set_field:${routerMac(peer.vpcNumber)}->eth_dst`);
        }
      }
    });
  });

  it("takes from the exchange only from a peer's router and blocks, to own ones", () => {
    everyTopology((topology) => {
      for (const { id } of topology.vpcs) {
        for (const flow of crossings(bridgesOf(topology).get(id) ?? []).inward) {
          const { match } = flow;
          const [peer, own] = sidesOf(flow, topology.peerings);
          expect(match["dl_src"]).toBe(routerMac(peer.vpcNumber));
          expect(match["dl_dst"]).toBe(routerMac(own.vpcNumber));
          expect(within(peer, match["nw_src"])).toBe(true);
          expect([own.vpcId, within(own, match["nw_dst"])]).toEqual([id, true]);
        }
      }
    });
  });

  it("admits each admitted peering in both directions", () => {
    everyTopology((topology) => {
      const admitted = topology.peerings.filter((peering) => peering.admitted);
      const directions = admissions(topology).map(
        ({ match }) => `${match["dl_src"]} ${match["dl_dst"]}`,
      );
      const expected = admitted.flatMap(({ requester, accepter }) => {
        const [one, other] = [routerMac(requester.vpcNumber), routerMac(accepter.vpcNumber)];
        const pairs = requester.blocks.length * accepter.blocks.length;
        return Array.from({ length: pairs }, () => [`${one} ${other}`, `${other} ${one}`]).flat();
      });
      expect(directions.sort()).toEqual(expected.sort());
    });
  });

  it("lets a VPC's bridge depend only on its own peerings", () => {
    everyTopology((topology) => {
      const whole = bridgesOf(topology);
      for (const { id } of topology.vpcs) {
        const own = topology.peerings.filter(
          ({ requester, accepter }) => requester.vpcId === id || accepter.vpcId === id,
        );
        expect(bridgesOf({ ...topology, peerings: own }).get(id)).toEqual(whole.get(id));
      }
    });
  });
});
