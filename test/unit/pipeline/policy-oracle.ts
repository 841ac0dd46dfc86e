import { containsIp, type Ip, parseIp } from "../../../src/domain/cidr.js";
import type { InterfaceIntent, RuleIntent, VpcIntent } from "../../../src/domain/intent.js";
import { ICMP, type Traffic } from "../../../src/domain/traffic.js";
import type { DropReason } from "../../../src/pipeline/drops.js";
import { isQuery, reversed, type Tuple, tupleKey, tupleOf } from "./interpreter/tuple.js";
import type { CountedDrop, Packet } from "./network.js";
import { interfaceAt, receiver, routeTo, sidesSeenFrom, tableAt } from "./oracle.js";
import type { Topology } from "./topologies.js";

/** A connection as an interface knows it. */
interface Known {
  readonly original: Tuple;
  /** The peering that it was last opened through; 0 inside the VPC. */
  readonly way: number;
}

/** What becomes of a packet: who gets it, or at whose interface it is counted as dropped. */
export interface Verdict {
  readonly receiver?: InterfaceIntent;
  readonly drop?: CountedDrop;
}

/** One interface's part in a packet. */
interface Part {
  readonly vpc: VpcIntent;
  readonly eni: InterfaceIntent;
  readonly sends: boolean;
  readonly way: number;
  /** The address at the other end. */
  readonly other: Ip;
}

/**
 * What security groups are meant to do, worked out from intent and from what passed before: either
 * end must allow the connection, as the rules are now and whoever opened it; answers, and errors
 * about a connection, come only the way that it was opened.
 */
export class PolicyOracle {
  readonly #known = new Map<string, Known>();

  judge(topology: Topology, vpc: VpcIntent, from: InterfaceIntent, packet: Packet): Verdict {
    const to = addressOf(packet.fields["nw_dst"]);
    const table = tableAt(vpc, from.ip);
    const route = table === undefined ? undefined : routeTo(vpc, table, to);
    if (route === undefined) return dropped(from, "noRoute");
    if (route.peering === null) return dropped(from, "blackhole");
    const way = route.peering;
    const sender: Part = { vpc, eni: from, sends: true, way, other: to };
    if (!this.#passes(topology, sender, packet)) return dropped(from, "egressPolicy");
    const eni = receiver(topology, vpc, from, to);
    const home = topology.vpcs.find(
      ({ interfaces }) => eni !== undefined && interfaces.includes(eni),
    );
    if (eni === undefined || home === undefined) return {};
    const taker: Part = { vpc: home, eni, sends: false, way, other: from.ip };
    return this.#passes(topology, taker, packet)
      ? { receiver: eni }
      : dropped(eni, "ingressPolicy");
  }

  #passes(topology: Topology, part: Part, { fields, about }: Packet): boolean {
    if (fields["bad"] === true) return false;
    const tuple = about ?? tupleOf(fields);
    const [forth, back] = [this.#find(part, tuple), this.#find(part, reversed(tuple))];
    const known = forth ?? back;
    if (known === undefined && (about !== undefined || !mayOpen(tuple))) return false;
    const inOpenersDirection = about === undefined ? back === undefined : forth === undefined;
    const opened = inOpenersDirection === part.sends;
    const connection = known?.original ?? tuple;
    const direction = opened ? "egress" : "ingress";
    if (!allows(topology, part, direction, connection, about !== undefined)) return false;
    if (about !== undefined || !inOpenersDirection) return known?.way === part.way;
    this.#known.set(keyOf(part, connection), { original: connection, way: part.way });
    return true;
  }

  #find(part: Part, tuple: Tuple): Known | undefined {
    return this.#known.get(keyOf(part, tuple));
  }
}

function dropped({ number }: InterfaceIntent, reason: DropReason): Verdict {
  return { drop: { interface: number, reason } };
}

function keyOf({ eni }: Part, tuple: Tuple): string {
  return `${eni.id} ${tupleKey(tuple)}`;
}

function addressOf(text: string | true | undefined): Ip {
  const ip = parseIp(String(text));
  if (ip === undefined) throw new Error(`no address: ${text}`);
  return ip;
}

function mayOpen({ protocol, to }: Tuple): boolean {
  return protocol !== ICMP || isQuery(to);
}

/** Whether a rule of the interface's groups allows the connection. */
function allows(
  topology: Topology,
  part: Part,
  direction: RuleIntent["direction"],
  tuple: Tuple,
  isError: boolean,
): boolean {
  const { vpc, eni } = part;
  const groups = vpc.securityGroups.filter(({ number }) => eni.groups.includes(number));
  return groups
    .flatMap(({ rules }) => rules)
    .some(
      (rule) =>
        rule.direction === direction &&
        covers(rule.traffic, tuple, isError) &&
        means(topology, part, rule),
    );
}

/** A rule for protocol 0 does not cover errors about it: see traffic-match.ts. */
function covers(traffic: Traffic, { protocol, to }: Tuple, isError: boolean): boolean {
  switch (traffic.kind) {
    case "all":
      return true;
    case "protocol":
      return traffic.protocol === protocol && !(isError && protocol === 0);
    case "ports":
      return traffic.protocol === protocol && traffic.from <= to && to <= traffic.to;
    case "icmp":
      return protocol === ICMP && (traffic.type ?? to) === to && (traffic.code ?? 0) === 0;
  }
}

/** A group means whoever is in it at the other end of the way, and not who has his address. */
function means(topology: Topology, { vpc, way, other }: Part, { peer }: RuleIntent): boolean {
  if (peer.kind === "block") return containsIp(peer.block, other);
  const side = sidesSeenFrom(topology, vpc.id).find(({ peering }) => peering.number === way);
  const far = topology.vpcs.find(({ id }) => id === (way === 0 ? vpc.id : side?.peer.vpcId));
  const eni = far === undefined ? undefined : interfaceAt(far, other);
  return eni?.groups.includes(peer.group) ?? false;
}
