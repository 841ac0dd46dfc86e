import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cidr, formatIp, type Ip, parseIp } from "../../../src/domain/cidr.js";
import type { AddressPairIntent, InterfaceIntent, VpcIntent } from "../../../src/domain/intent.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { flowKey } from "../../../src/openflow/text.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { bestMatch } from "./interpreter/lookup.js";
import { bridgeTables, Network } from "./network.js";
import { autoRouted, bridgesOf, peering, type Topology, vpc } from "./topologies.js";

const INTERFACES = 4;
const OWN = [10, 11, 12, 13];
const SECONDARY = [20, 21, 65];
const PAIRS = ["20/32", "64/28", "64/30", "64/31", "65/32", "66/32", "10/32"];
const MACS = [null, "00:00:5e:00:01:07"];
const ADDRESSES = [...OWN, ...SECONDARY, 64, 66, 70, 90];

interface Shape {
  readonly secondary: readonly number[];
  readonly pairs: readonly { readonly block: string; readonly mac: string | null }[];
}

const anyShape: fc.Arbitrary<Shape> = fc.record({
  secondary: fc.subarray(SECONDARY),
  pairs: fc.uniqueArray(
    fc.record({ block: fc.constantFrom(...PAIRS), mac: fc.constantFrom(...MACS) }),
    { selector: ({ block }) => block, maxLength: 3 },
  ),
});

const anyShapes = fc.array(anyShape, { minLength: INTERFACES, maxLength: INTERFACES });

/** One subnet with interfaces that have further addresses, and a peer with one interface. */
function topologyOf(shapes: readonly Shape[]): Topology {
  const bare = vpc(1, ["10.10.1.0/24"], INTERFACES);
  const taken = new Set<number>();
  const interfaces = bare.interfaces.map((eni, index) => {
    const { secondary = [], pairs = [] } = shapes[index] ?? {};
    const free = secondary.filter((last) => !taken.has(last));
    for (const last of free) taken.add(last);
    const own = [10 + index, ...free].map((last) => `10.10.1.${last}/32`);
    return {
      ...eni,
      secondaryIps: free.map((last) => at(`10.10.1.${last}`)),
      addressPairs: pairs
        .map(({ block, mac }) => ({ block: cidr(`10.10.1.${block}`), mac: mac ?? eni.mac }))
        .filter(({ block }) => !own.includes(`${formatIp({ family: 4, value: block.base })}/32`)),
    };
  });
  const near = { ...bare, interfaces };
  const far = vpc(2, ["10.20.1.0/24"], 1);
  return autoRouted({ vpcs: [near, far], peerings: [peering(101, near, far)] });
}

function at(text: string): Ip {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`not an address: ${text}`);
  return ip;
}

const bits = ({ value }: Ip, length: number) =>
  value.toString(2).padStart(32, "0").slice(0, length);

const holds = ({ block }: Pick<AddressPairIntent, "block">, address: Ip) =>
  bits({ family: 4, value: block.base }, block.prefix) === bits(address, block.prefix);

const owns = (eni: InterfaceIntent, address: Ip) =>
  [eni.ip, ...eni.secondaryIps].some(({ value }) => value === address.value);

/** Whether an interface may send a frame, told without a flow. */
function maySend(eni: InterfaceIntent, source: Ip, mac: string): boolean {
  if (owns(eni, source) && mac === eni.mac) return true;
  return eni.addressPairs.some((pair) => pair.mac === mac && holds(pair, source));
}

/** Ids of those who get a packet for an address; whoever sends it gets nothing back. */
function getters({ interfaces }: VpcIntent, to: Ip, sender: string | undefined): string[] {
  const owner = interfaces.find((eni) => owns(eni, to));
  const claims = interfaces.flatMap(({ id, addressPairs }) =>
    addressPairs
      .filter((pair) => holds(pair, to))
      .map(({ block }) => ({ id, length: block.prefix })),
  );
  const longest = claims.reduce((most, { length }) => Math.max(most, length), 0);
  const sharers = claims.filter(({ length }) => length === longest).map(({ id }) => id);
  return (owner === undefined ? sharers : [owner.id]).filter((id) => id !== sender).sort();
}

function everySend(check: (topology: Topology, network: Network) => void): void {
  fc.assert(
    fc.property(anyShapes, (shapes) => {
      const topology = topologyOf(shapes);
      check(topology, new Network(topology));
    }),
    { numRuns: 60 },
  );
}

function endsOf({ vpcs }: Topology): { near: VpcIntent; far: VpcIntent; peer: InterfaceIntent } {
  const [near, far] = vpcs;
  const peer = far?.interfaces[0];
  if (near === undefined || far === undefined || peer === undefined) throw new Error("no ends");
  return { near, far, peer };
}

describe("interfaces with further addresses", { timeout: 60_000 }, () => {
  it("have flows of which no two are the same", () => {
    everySend((topology) => {
      for (const flows of bridgesOf(topology).values()) {
        expect(new Set(flows.map(flowKey)).size).toBe(flows.length);
      }
    });
  });

  it("send from what is theirs or allowed, with the MAC address that goes with it, and no other", () => {
    everySend((topology, network) => {
      const { near, peer } = endsOf(topology);
      for (const eni of near.interfaces) {
        for (const last of ADDRESSES) {
          for (const mac of [eni.mac, "00:00:5e:00:01:07"]) {
            const source = at(`10.10.1.${last}`);
            const fields = { nw_src: formatIp(source), nw_dst: formatIp(peer.ip) };
            const expected = maySend(eni, source, mac) ? [peer.id] : [];
            expect(network.send(near, { ...eni, mac }, { fields })).toEqual(expected);
          }
        }
      }
    });
  });

  it("get what is for them, from neighbours and from peers; sharers a copy each", () => {
    everySend((topology, network) => {
      const { near, far, peer } = endsOf(topology);
      for (const last of ADDRESSES) {
        const to = at(`10.10.1.${last}`);
        const fields = { nw_dst: formatIp(to) };
        for (const eni of near.interfaces) {
          const got = network.send(near, eni, { fields }).sort();
          expect([eni.id, last, got]).toEqual([eni.id, last, getters(near, to, eni.id)]);
        }
        expect(network.send(far, peer, { fields }).sort()).toEqual(getters(near, to, undefined));
      }
    });
  });
});

describe("ARP", { timeout: 60_000 }, () => {
  /** Whether a question is answered in whoever's name it is asked; spoofGuard has seen to that. */
  function isAnswered(arp: readonly Flow[], eni: InterfaceIntent, [from, to]: [Ip, Ip]): boolean {
    const asked = { arp_op: "1", arp_spa: formatIp(from), arp_tpa: formatIp(to) };
    const reg0 = String(eni.number);
    return bestMatch(arp, { arp: true, reg0, ...asked })?.actions.includes("IN_PORT") ?? false;
  }

  it("is answered in the name of each address for each that somebody has, but for announcements", () => {
    everySend((topology) => {
      const { near } = endsOf(topology);
      const arp = bridgeTables(topology).get(near.id)?.get(VPC_TABLES.arp.number) ?? [];
      for (const eni of near.interfaces) {
        for (const [from, to] of ADDRESSES.flatMap((a) => ADDRESSES.map((b) => [a, b] as const))) {
          const [source, target] = [at(`10.10.1.${from}`), at(`10.10.1.${to}`)];
          if (!owns(eni, source) && !eni.addressPairs.some((pair) => holds(pair, source))) continue;
          const isKnown = getters(near, target, undefined).length > 0;
          const expected = isKnown && from !== to && !owns(eni, target);
          const answered = isAnswered(arp, eni, [source, target]);
          expect([eni.id, from, to, answered]).toEqual([eni.id, from, to, expected]);
        }
      }
    });
  });
});

describe("a rule that names a group", () => {
  const OTHERS = 77;
  const [SENDER, HOLDER] = [0, 1];

  /** The first interface lets in whoever is in a group; the second is in it. */
  function guarded(shape: Partial<Shape>): Topology {
    const shapes = Array.from({ length: INTERFACES }, () => ({ secondary: [], pairs: [] }));
    const { vpcs, peerings } = topologyOf(
      shapes.map((each, index) => (index === HOLDER ? { ...each, ...shape } : each)),
    );
    const [near, far] = vpcs;
    const holder = near?.interfaces[HOLDER];
    if (near === undefined || far === undefined || holder === undefined) throw new Error("no ends");
    const rule = {
      id: "sgr-1",
      number: 1,
      direction: "ingress",
      traffic: { kind: "all" },
    } as const;
    const peer = { kind: "group", id: "sg-77", group: OTHERS } as const;
    const closed = { id: "sg-78", number: 78, rules: [{ ...rule, peer }] };
    const named = { id: "sg-77", number: OTHERS, rules: [] };
    const interfaces = near.interfaces.map((eni, index) =>
      index === SENDER ? { ...eni, groups: [closed.number] } : eni,
    );
    const guardedVpc = {
      ...near,
      interfaces,
      securityGroups: [...near.securityGroups, closed, named],
      peerGroups: [
        { group: OTHERS, peering: 0, vpcId: near.id, members: [holder], limited: false },
      ],
    };
    return { vpcs: [guardedVpc, far], peerings };
  }

  it("means all addresses of its members, and none besides", () => {
    const topology = guarded({ secondary: [20], pairs: [{ block: "64/28", mac: null }] });
    const [near] = topology.vpcs;
    const [target, holder, other] = near?.interfaces ?? [];
    if (near === undefined || target === undefined || holder === undefined || other === undefined) {
      throw new Error("no ends");
    }
    const network = new Network(topology);
    const arrives = (from: InterfaceIntent, last: number) =>
      network.send(near, from, {
        fields: { nw_src: `10.10.1.${last}`, nw_dst: formatIp(target.ip) },
      }).length > 0;
    expect([11, 20, 64, 79].map((last) => arrives(holder, last))).toEqual([true, true, true, true]);
    expect(arrives(holder, 80)).toBe(false);
    expect(arrives(other, 12)).toBe(false);
  });
});
