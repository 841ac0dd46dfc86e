import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addressAt, cidr, formatIp, type Ip } from "../../../src/domain/cidr.js";
import type { InterfaceIntent, VpcIntent } from "../../../src/domain/intent.js";
import { routerMac } from "../../../src/domain/mac.js";
import { receiver } from "../../unit/pipeline/oracle.js";
import { TOPOLOGIES, type Topology, UPLINK } from "../../unit/pipeline/topologies.js";
import { packet } from "./packets.js";
import { startTracedSwitch, type TracedSwitch } from "./traced-switch.js";

const ELSEWHERE = ["10.20.1.99", "10.20.129.99", "10.30.1.10", "192.0.2.1"].map(address);

function address(text: string): Ip {
  return addressAt(cidr(`${text}/32`), 0n);
}

interface Way {
  readonly of: VpcIntent;
  readonly from: InterfaceIntent;
  readonly to: Ip;
}

describe.each(["equal-blocks", "parts-of-blocks"] as const)("on a switch with %s", (name) => {
  const topology = TOPOLOGIES[name];
  const addresses = [
    ...ELSEWHERE,
    ...topology.vpcs.flatMap(({ interfaces }) => interfaces.map(({ ip }) => ip)),
  ];
  const ways: Way[] = topology.vpcs.flatMap((of) =>
    of.interfaces.flatMap((from) =>
      addresses.filter(({ value }) => value !== from.ip.value).map((to) => ({ of, from, to })),
    ),
  );
  let traced: TracedSwitch;

  beforeAll(async () => {
    traced = await startTracedSwitch(topology);
  });
  afterAll(async () => traced.stop());

  it("every packet gets to whom the routes mean, and to nobody else", async () => {
    let received = 0;
    for (const { of, from, to } of ways) {
      const expected = receiver(topology, of, from, to)?.id;
      const { ports } = await traced.fate(of.id, packet(of, from, formatIp(to)));
      const way = `${from.id} of ${of.id} to ${formatIp(to)}`;
      expect(ports, way).toEqual(expected === undefined ? [] : [expected]);
      received += ports.length;
    }
    expect(received).toBeGreaterThanOrEqual(4);
    expect(received).toBeLessThan(ways.length);
  });
});

describe("on a switch", () => {
  const { hub, eni } = hubOf(TOPOLOGIES["parts-of-blocks"]);
  let traced: TracedSwitch;

  beforeAll(async () => {
    traced = await startTracedSwitch(TOPOLOGIES["parts-of-blocks"]);
  });
  afterAll(async () => traced.stop());

  /** As it comes from the exchange to the hub's first interface, from a peer's router. */
  function fromPeer(peer: number, source: string, to: string): string {
    const changes = { in_port: UPLINK, dl_src: routerMac(peer), nw_src: source };
    return packet(hub, eni, to, changes);
  }

  it.each([
    ["the peer whose part it is", 3, "10.20.129.10", "10.10.1.10", ["eni-1-0"]],
    ["the peer that the rest belongs to", 2, "10.20.1.10", "10.10.1.10", ["eni-1-0"]],
    ["the other peer, with an address of that part", 2, "10.20.129.10", "10.10.1.10", []],
    ["the other peer, with an address of the rest", 3, "10.20.1.10", "10.10.1.10", []],
    ["behind a blackhole", 2, "10.20.1.10", "10.10.2.10", []],
    ["the default route's peer", 2, "10.20.2.10", "10.10.2.10", ["eni-1-1"]],
    ["a peer, to no subnet", 2, "10.20.1.10", "10.10.3.10", []],
  ])("comes in from %s, or does not", async (_who, peer, source, to, expected) => {
    expect((await traced.fate(hub.id, fromPeer(peer, source, to))).ports).toEqual(expected);
  });

  it("a default route sends nothing beyond the peer's blocks", async () => {
    const fate = await traced.fate(hub.id, packet(hub, eni, "192.0.2.1"));
    expect(fate).toEqual({ ports: [], bridges: [hub.id], actions: "drop" });
  });
});

/** The VPC whose routes tell its peers apart, and its first interface. */
function hubOf({ vpcs }: Topology): { hub: VpcIntent; eni: InterfaceIntent } {
  const [hub] = vpcs;
  const [eni] = hub?.interfaces ?? [];
  if (hub === undefined || eni === undefined) throw new Error("no hub with an interface");
  return { hub, eni };
}
