import { describe, expect, it } from "vitest";
import { formatIp } from "../../../src/domain/cidr.js";
import type { InterfaceIntent } from "../../../src/domain/intent.js";
import { UDP } from "../../../src/domain/traffic.js";
import type { Role } from "../../../src/pipeline/registers.js";
import { packetOf, reversed } from "./interpreter/tuple.js";
import { errorAbout, Network, type Packet } from "./network.js";
import { autoRouted, vpc as makeVpc, peering, portsOf, type Topology } from "./topologies.js";

describe("a peer that another with the same addresses takes the place of", () => {
  const [hub, old, twin] = [
    makeVpc(1, ["10.10.1.0/24"]),
    makeVpc(2, ["10.20.1.0/24"]),
    makeVpc(3, ["10.20.1.0/24"]),
  ];
  const vpcs = [hub, old, twin];
  const before = autoRouted({ vpcs, peerings: [peering(101, hub, old)] });
  const after = autoRouted({ vpcs, peerings: [peering(102, hub, twin)] });
  /** Both are peers; the route has changed. */
  const rivals = autoRouted({ vpcs, peerings: [...before.peerings, ...after.peerings] });
  const [from, , impostor] = vpcs.map(({ interfaces: [eni] }) => eni);
  const what = { protocol: UDP, from: 5000, to: 53, source: "10.10.1.10", target: "10.20.1.10" };
  const asking = { fields: packetOf(what) };
  const answering = { fields: packetOf(reversed(what)) };

  /** With a connection to the old peer that has been answered; the new one is there by now. */
  function replaced(by: Topology): {
    ask(packet?: Packet): string[];
    answer(packet?: Packet): string[];
    readonly network: Network;
  } {
    if (from === undefined || impostor === undefined) throw new Error("no interfaces");
    const network = new Network(before);
    expect(network.send(hub, from, asking)).toEqual(["eni-2-0"]);
    const [answerer] = old.interfaces;
    if (answerer === undefined) throw new Error("nobody answers");
    expect(network.send(old, answerer, answering)).toEqual(["eni-1-0"]);
    network.change(by);
    return {
      network,
      ask: (packet = asking) => network.send(hub, from, packet),
      answer: (packet = answering) => network.send(twin, impostor, packet),
    };
  }

  it.each([
    ["one has gone", after],
    ["both are there", rivals],
  ])("cannot answer for it, nor report errors: %s", (_how, by) => {
    const { answer } = replaced(by);
    expect(answer()).toEqual([]);
    expect(answer(errorAbout(what))).toEqual([]);
  });

  it("can answer once it has been asked itself, each time anew", () => {
    const { ask, answer } = replaced(after);
    expect(ask()).toEqual(["eni-3-0"]);
    expect(answer()).toEqual(["eni-1-0"]);
    expect(ask()).toEqual(["eni-3-0"]);
  });

  it("is told of no error about what the old one had answered", () => {
    const { ask, answer, network } = replaced(after);
    const error = errorAbout(reversed(what));
    expect(ask(error)).toEqual([]);
    expect(network.drops).toEqual([{ interface: from?.number, reason: "egressPolicy" }]);
    expect(ask()).toEqual(["eni-3-0"]);
    expect(answer()).toEqual(["eni-1-0"]);
    expect(ask(error)).toEqual(["eni-3-0"]);
  });

  it("is not asked for what no rule allows any more", () => {
    const groups = hub.securityGroups.map((group) => ({ ...group, rules: [] }));
    const [now, ...others] = after.vpcs;
    if (now === undefined) throw new Error("no hub");
    const shut = { ...after, vpcs: [{ ...now, securityGroups: groups }, ...others] };
    expect(replaced(shut).ask()).toEqual([]);
  });
});

describe("an answer inside a VPC", () => {
  const inside = makeVpc(1, ["10.10.1.0/24"], 2);
  const [from, to] = inside.interfaces;
  const alone = { vpcs: [inside], peerings: [] };
  const question = { protocol: UDP, from: 5000, to: 53 } as const;

  /** Before an interface had two zones, what it had opened was in that of its callers too. */
  it.each([
    ["the VPC", "caller", "0", true],
    ["a peering", "caller", "0x65", false],
    ["the VPC, before there were two zones", "called", "0", true],
    ["a peering, before there were two zones", "called", "0x65", false],
  ] as const)("passes to who had asked inside %s", (_where, role, mark, passes) => {
    if (from === undefined || to === undefined) throw new Error("no two interfaces");
    const network = new Network(alone);
    const asked = { ...question, source: formatIp(to.ip), target: formatIp(from.ip) };
    const zones = portsOf(inside).interfaces;
    const zoneOf = ({ id }: InterfaceIntent, as: Role) =>
      `0x${(zones.get(id)?.zones[as] ?? 0).toString(16)}`;
    network.conntrack.commit(zoneOf(from, "called"), packetOf(asked), { ct_mark: "0" });
    network.conntrack.commit(zoneOf(to, role), packetOf(asked), { ct_mark: mark });
    const got = network.send(inside, from, { fields: packetOf(reversed(asked)) });
    expect(got).toEqual(passes ? [to.id] : []);
  });
});
