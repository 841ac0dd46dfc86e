import { describe, expect, it } from "vitest";
import { formatIp } from "../../../src/domain/cidr.js";
import type { InterfaceIntent, VpcIntent } from "../../../src/domain/intent.js";
import { TCP, UDP } from "../../../src/domain/traffic.js";
import { packetOf, reversed, type Tuple } from "./interpreter/tuple.js";
import { errorAbout, Network } from "./network.js";
import { autoRouted, vpc as makeVpc, peering } from "./topologies.js";

const ROOM = 5;

const [hub, other] = [makeVpc(1, ["10.10.1.0/24"]), makeVpc(2, ["10.20.1.0/24"])];
const topology = autoRouted({ vpcs: [hub, other], peerings: [peering(101, hub, other)] });
const [mine, theirs] = [endOf(hub), endOf(other)];

interface End {
  readonly vpc: VpcIntent;
  readonly eni: InterfaceIntent;
}

function endOf({ id }: VpcIntent): End {
  const vpc = topology.vpcs.find((each) => each.id === id);
  const [eni] = vpc?.interfaces ?? [];
  if (vpc === undefined || eni === undefined) throw new Error("no interface");
  return { vpc, eni };
}

const call = (from: End, to: End, port: number, protocol = UDP): Tuple => ({
  protocol,
  source: formatIp(from.eni.ip),
  target: formatIp(to.eni.ip),
  from: port,
  to: 53,
});

function send(network: Network, from: End, tuple: Tuple): string[] {
  return network.send(from.vpc, from.eni, { fields: packetOf(tuple) });
}

/** A peer has opened as many connections to `mine` as it may have. */
function flooded(): Network {
  const network = new Network(topology);
  network.conntrack.limit = ROOM;
  for (let port = 1; port <= ROOM; port += 1) {
    expect(send(network, theirs, call(theirs, mine, port))).toEqual([mine.eni.id]);
  }
  return network;
}

describe("an interface that others have filled with connections", () => {
  it("gets no more of them, and it is counted as that", () => {
    const network = new Network(topology);
    network.conntrack.limit = ROOM;
    for (let port = 1; port <= ROOM; port += 1) send(network, theirs, call(theirs, mine, port));
    // The caller has room for no more either, and is the first to be asked.
    expect(send(network, theirs, call(theirs, mine, ROOM + 1))).toEqual([]);
    expect(network.drops).toEqual([{ interface: theirs.eni.number, reason: "connectionLimit" }]);
  });

  it("opens its own, which are answered", () => {
    const network = flooded();
    const own = call(mine, theirs, 7000);
    expect(send(network, mine, own)).toEqual([theirs.eni.id]);
    expect(send(network, theirs, reversed(own))).toEqual([mine.eni.id]);
    expect(send(network, mine, own)).toEqual([theirs.eni.id]);
    const error = errorAbout(own);
    expect(network.send(theirs.vpc, theirs.eni, error)).toEqual([mine.eni.id]);
  });

  it("goes on with those that there are", () => {
    const network = flooded();
    const known = call(theirs, mine, 1);
    expect(send(network, mine, reversed(known))).toEqual([theirs.eni.id]);
    expect(send(network, theirs, known)).toEqual([mine.eni.id]);
  });
});

describe("TCP that is picked up in the middle", () => {
  const answer = reversed(call(theirs, mine, 7000, TCP));
  const packet = (flags: string) => ({
    fields: { ...packetOf(answer), tcp: true, tcp_flags: flags } as const,
  });

  it("takes room from what others have opened, as it may be an answer to one of them", () => {
    const network = flooded();
    expect(network.send(mine.vpc, mine.eni, packet("ack"))).toEqual([]);
    expect(network.drops).toEqual([{ interface: mine.eni.number, reason: "connectionLimit" }]);
    expect(network.send(mine.vpc, mine.eni, packet("syn"))).toEqual([theirs.eni.id]);
  });
});

describe("a packet out of order", () => {
  it.each([
    ["of a connection that the interface answers", theirs, mine],
    ["of a connection that the interface has opened", mine, theirs],
  ])("opens nothing in the zone that does not know it: %s", (_what, caller, called) => {
    const network = new Network(topology);
    const known = call(caller, called, 7000, TCP);
    expect(send(network, caller, known)).toEqual([called.eni.id]);
    expect(send(network, called, reversed(known))).toEqual([caller.eni.id]);
    const fields = { ...packetOf(reversed(known)), bad: true } as const;
    expect(network.send(called.vpc, called.eni, { fields })).toEqual([]);
    expect(network.drops).toEqual([{ interface: called.eni.number, reason: "egressPolicy" }]);
  });
});
