import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressAt, cidr, formatIp, type Ip } from "../../../src/domain/cidr.js";
import type {
  InterfaceIntent,
  RouteIntent,
  RouteTableIntent,
  VpcIntent,
} from "../../../src/domain/intent.js";
import {
  type Action,
  formatActions,
  gotoTable,
  setRegister,
} from "../../../src/openflow/action.js";
import { stepsFor } from "../../../src/openflow/bundle-step.js";
import { decodeCookie } from "../../../src/openflow/cookie.js";
import { diffFlows } from "../../../src/openflow/delta.js";
import { dropFor } from "../../../src/pipeline/drops.js";
import { PRIORITIES } from "../../../src/pipeline/priorities.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { anyTopology } from "./arbitrary.js";
import { bestMatch } from "./interpreter/interpreter.js";
import { type Bridges, bridgeTables, Network } from "./network.js";
import { isContested, type Route, receiver, routeTo, sidesSeenFrom } from "./oracle.js";
import { bridgesOf, TOPOLOGIES, type Topology } from "./topologies.js";

function everyTopology(check: (topology: Topology, bridges: Bridges) => void): void {
  fc.assert(fc.property(anyTopology(), (topology) => check(topology, bridgeTables(topology))));
}

/** Inside and at the edges of everything that routes tell apart, and addresses in use. */
function probes({ vpcs }: Topology): Ip[] {
  const blocks = vpcs.flatMap(({ blocks: own, routeTables }) => [
    ...own,
    ...routeTables.flatMap(({ routes }) => routes.map(({ destination }) => destination)),
  ]);
  const edges = [...blocks, cidr("198.51.100.0/24")].flatMap((block) => [
    addressAt(block, 0n),
    addressAt(block, (1n << BigInt(32 - block.prefix)) - 1n),
  ]);
  const all = [...edges, ...vpcs.flatMap(({ interfaces }) => interfaces.map(({ ip }) => ip))];
  return [...new Map(all.map((ip) => [ip.value, ip])).values()];
}

function tablesWithSenders({ interfaces, subnets, routeTables }: VpcIntent): RouteTableIntent[] {
  const settled = subnets.filter(({ id }) => interfaces.some(({ subnetId }) => subnetId === id));
  const numbers = settled.map(({ routeTable }) => routeTable);
  return routeTables.filter(({ number }) => numbers.includes(number));
}

const register = (value: number) => (value === 0 ? "0" : `0x${value.toString(16)}`);

/** The interfaces that get the first packet of a connection, in whatever VPC. */
function delivered(
  topology: Topology,
  bridges: Bridges,
  vpc: VpcIntent,
  from: InterfaceIntent,
  to: Ip,
): string[] {
  return new Network(topology, bridges).send(vpc, from, { fields: { nw_dst: formatIp(to) } });
}

/** What becomes of a packet with this route. */
function routed(route: Route | undefined): Action[] {
  if (route === undefined) return dropFor("noRoute");
  if (route.peering === null) return dropFor("blackhole");
  return [setRegister("reg1", route.peering), gotoTable(VPC_TABLES.egressTrack.number)];
}

describe("routing, for any route tables", { timeout: 60_000 }, () => {
  it("takes the longest prefix of the sender's table, and never another table's", () => {
    everyTopology((topology, bridges) => {
      for (const vpc of topology.vpcs) {
        for (const table of tablesWithSenders(vpc)) {
          for (const to of probes(topology)) {
            const packet = {
              ip: true,
              reg2: register(table.number),
              nw_dst: formatIp(to),
            } as const;
            const flow = bestMatch(bridges.get(vpc.id)?.get(VPC_TABLES.route.number), packet);
            expect(flow?.actions).toBe(formatActions(routed(routeTo(vpc, table, to))));
          }
        }
      }
    });
  });

  it("lets a packet get to whom the routes of both sides mean, and to nobody else", () => {
    let received = 0;
    everyTopology((topology, bridges) => {
      for (const vpc of topology.vpcs) {
        for (const from of vpc.interfaces) {
          for (const to of probes(topology)) {
            const expected = receiver(topology, vpc, from, to);
            if (expected?.id === from.id) continue;
            const got = delivered(topology, bridges, vpc, from, to);
            expect(got).toEqual(expected === undefined ? [] : [expected.id]);
            received += got.length;
          }
        }
      }
    });
    expect(received).toBeGreaterThan(100);
  });

  it("asks for a way back only where a peer's addresses are contested", () => {
    everyTopology((topology, bridges) => {
      for (const { id } of topology.vpcs) {
        const judged = (bridges.get(id)?.get(VPC_TABLES.returnRoute.number) ?? []).filter(
          ({ priority }) => priority > PRIORITIES.uncontested.value,
        );
        for (const { cookie, match } of judged) {
          const { category, object } = decodeCookie(cookie);
          expect(category).toBe("peering");
          expect(match["reg1"]).toBe(register(object));
          expect(isContested(topology, id, object)).toBe(true);
        }
        const contested = sidesSeenFrom(topology, id)
          .map(({ peering }) => peering.number)
          .filter((number) => isContested(topology, id, number));
        const drops = judged.filter(({ priority }) => priority === PRIORITIES.unrouted.value);
        expect(drops.map(({ cookie }) => decodeCookie(cookie).object).sort()).toEqual(
          contested.sort(),
        );
      }
    });
  });
});

describe("peers with the same addresses", () => {
  /** Interface ids that each interface of A reaches at B's and C's common addresses. */
  function reach(topology: Topology): Record<string, string[]> {
    const bridges = bridgeTables(topology);
    const [hub] = topology.vpcs;
    if (hub === undefined) throw new Error("no VPC");
    const [near, far] = [ip("10.20.1.10"), ip("10.20.129.10")];
    const reached = hub.interfaces.map((from) => [
      from.id,
      [near, far].flatMap((to) => delivered(topology, bridges, hub, from, to)),
    ]);
    return Object.fromEntries(reached);
  }

  it("are told apart by the sender's route table", () => {
    expect(reach(TOPOLOGIES["equal-blocks"])).toEqual({
      "eni-1-0": ["eni-2-0"],
      "eni-1-1": ["eni-3-0", "eni-3-1"],
    });
  });

  it("are told apart by the longer prefix, and a blackhole is nobody's", () => {
    expect(reach(TOPOLOGIES["parts-of-blocks"])).toEqual({
      "eni-1-0": ["eni-2-0", "eni-3-1"],
      "eni-1-1": [],
    });
  });

  it.each([
    ["equal-blocks", { "eni-2-0": ["eni-1-0"], "eni-3-0": ["eni-1-1"], "eni-3-1": ["eni-1-1"] }],
    ["parts-of-blocks", { "eni-2-0": ["eni-1-0"], "eni-3-0": [], "eni-3-1": ["eni-1-0"] }],
  ] as const)("with %s reach only those whose routes mean them: %j", (name, expected) => {
    const topology: Topology = TOPOLOGIES[name];
    const bridges = bridgeTables(topology);
    const [hub, ...peers] = topology.vpcs;
    const from = peers.flatMap((peer) => peer.interfaces.map((eni) => ({ peer, eni })));
    const got = from.map(({ peer, eni }) => [
      eni.id,
      (hub?.interfaces ?? []).flatMap((to) => delivered(topology, bridges, peer, eni, to.ip)),
    ]);
    expect(Object.fromEntries(got)).toEqual(expected);
  });
});

describe("a route that is led from one peer to another", () => {
  it("has one flow, which is overwritten: at no moment has the table none", () => {
    const before: Topology = TOPOLOGIES["equal-blocks"];
    const [hub, ...peers] = before.vpcs;
    if (hub === undefined) throw new Error("no VPC");
    const led = (route: RouteIntent): RouteIntent =>
      route.peering === 101 ? { ...route, peering: 102 } : route;
    const destination = cidr("10.20.0.0/16");
    const routeTables = hub.routeTables.map((table) => ({
      ...table,
      routes: table.routes.map(led),
    }));
    const after: Topology = { ...before, vpcs: [{ ...hub, routeTables }, ...peers] };
    const [was, is] = [before, after].map((topology) =>
      (bridgesOf(topology).get(hub.id) ?? []).filter(
        ({ table }) => table === VPC_TABLES.route.number,
      ),
    );
    const { missing, changed, unexpected } = diffFlows(is ?? [], was ?? [], () => true);
    expect([missing, unexpected]).toEqual([[], []]);
    const nextHop = (peering: number) => formatActions(routed({ destination, peering }));
    expect(changed.map(({ from, to }) => [from.actions, to.actions])).toEqual([
      [nextHop(101), nextHop(102)],
    ]);
    expect(stepsFor({ missing, changed, unexpected, foreign: [] })).toEqual([
      { kind: "add", flow: changed[0]?.to },
    ]);
  });
});

function ip(text: string): Ip {
  return addressAt(cidr(`${text}/32`), 0n);
}
