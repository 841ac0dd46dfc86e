import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressAt, cidr, formatIp, type Ip } from "../../../src/domain/cidr.js";
import type { InterfaceIntent, VpcIntent } from "../../../src/domain/intent.js";
import { routerMac } from "../../../src/domain/mac.js";
import { decodeCookie } from "../../../src/openflow/cookie.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { PRIORITIES } from "../../../src/pipeline/priorities.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { anyTopology } from "./arbitrary.js";
import { bestMatch, entering, type Fields, runBridge } from "./interpreter.js";
import { isContested, nextHop, receiver, sidesSeenFrom } from "./oracle.js";
import { bridgesOf, portsOf, TOPOLOGIES, type Topology, UPLINK, uplinksOf } from "./topologies.js";

type Bridges = ReadonlyMap<string, readonly Flow[]>;

function everyTopology(check: (topology: Topology, bridges: Bridges) => void): void {
  fc.assert(fc.property(anyTopology(), (topology) => check(topology, bridgesOf(topology))));
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

const register = (value: number) => (value === 0 ? "0" : `0x${value.toString(16)}`);

/** The interfaces that get a packet, in whatever VPC. */
function delivered(
  { vpcs }: Topology,
  bridges: Bridges,
  vpc: VpcIntent,
  from: InterfaceIntent,
  to: Ip,
): string[] {
  const uplinks = uplinksOf(vpcs);
  const flowsOf = (id: string) => bridges.get(id) ?? [];
  const packet: Fields = {
    ip: true,
    in_port: String(portsOf(vpc).interfaces.get(from.id)),
    dl_src: from.mac,
    dl_dst: routerMac(vpc.number),
    nw_src: formatIp(from.ip),
    nw_dst: formatIp(to),
  };
  return runBridge(flowsOf(vpc.id), packet).flatMap((sent) => {
    if (sent.port !== String(UPLINK)) return [idAt(vpc, sent.port)];
    const crossing = entering(sent, uplinks.get(vpc.id) ?? 0);
    return runBridge(flowsOf("exchange"), crossing).flatMap((passed) => {
      const peer = vpcs.find(({ id }) => String(uplinks.get(id)) === passed.port);
      if (peer === undefined) throw new Error(`no VPC at port ${passed.port}`);
      const arrived = runBridge(flowsOf(peer.id), entering(passed, UPLINK));
      return arrived.map(({ port }) => idAt(peer, port));
    });
  });
}

function idAt(vpc: VpcIntent, port: string): string {
  const [found] = [...portsOf(vpc).interfaces].find(([, at]) => String(at) === port) ?? [];
  return found ?? `port ${port} of ${vpc.id}`;
}

describe("routing, for any route tables", () => {
  it("takes the longest prefix of the sender's table, and never another table's", () => {
    everyTopology((topology, bridges) => {
      for (const vpc of topology.vpcs) {
        for (const table of vpc.routeTables) {
          for (const to of probes(topology)) {
            const packet = {
              ip: true,
              reg2: register(table.number),
              nw_dst: formatIp(to),
            } as const;
            const flow = bestMatch(bridges.get(vpc.id) ?? [], VPC_TABLES.route.number, packet);
            const hop = nextHop(vpc, table, to);
            const expected =
              hop === null ? "drop" : `set_field:${register(hop)}->reg1,goto_table:4`;
            expect(flow?.actions).toBe(expected);
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
        const judged = (bridges.get(id) ?? []).filter(
          ({ table, priority }) =>
            table === VPC_TABLES.returnRoute.number && priority > PRIORITIES.uncontested.value,
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
    const bridges = bridgesOf(topology);
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
    const bridges = bridgesOf(topology);
    const [hub, ...peers] = topology.vpcs;
    const from = peers.flatMap((peer) => peer.interfaces.map((eni) => ({ peer, eni })));
    const got = from.map(({ peer, eni }) => [
      eni.id,
      (hub?.interfaces ?? []).flatMap((to) => delivered(topology, bridges, peer, eni, to.ip)),
    ]);
    expect(Object.fromEntries(got)).toEqual(expected);
  });
});

function ip(text: string): Ip {
  return addressAt(cidr(`${text}/32`), 0n);
}
