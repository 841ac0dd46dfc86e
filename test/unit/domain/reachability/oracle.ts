import { type Cidr, formatIp, type Ip } from "../../../../src/domain/cidr.js";
import type { InterfaceIntent, VpcIntent } from "../../../../src/domain/intent.js";
import type { Opening } from "../../../../src/domain/reachability/question.js";
import type { Traffic } from "../../../../src/domain/traffic.js";
import { interfaceAt, nextHop, receiver, tableAt } from "../../pipeline/oracle.js";
import type { Topology } from "../../pipeline/topologies.js";

export interface Expectation {
  /** The interface that the first packet gets to. */
  readonly delivered: string | undefined;
  /** Whether the answer comes back as well. */
  readonly reachable: boolean;
}

/** Whether a connection comes about, put together from the oracle of the routes and from rules. */
export function expected(
  topology: Topology,
  vpc: VpcIntent,
  from: InterfaceIntent,
  to: Ip,
  opening: Opening,
): Expectation {
  const nothing = { delivered: undefined, reachable: false };
  const arriving = receiver(topology, vpc, from, to);
  const far = topology.vpcs.find(({ interfaces }) => interfaces.some((eni) => eni === arriving));
  const table = tableAt(vpc, from.ip);
  if (arriving === undefined || far === undefined || table === undefined) return nothing;
  const way = nextHop(vpc, table, to) ?? -1;
  if (!allowed(vpc, from, "egress", to, way, opening)) return nothing;
  if (!allowed(far, arriving, "ingress", from.ip, way, opening)) return nothing;
  const tableBack = tableAt(far, arriving.ip);
  const back = tableBack === undefined ? null : nextHop(far, tableBack, from.ip);
  return { delivered: arriving.id, reachable: back === way };
}

/** Every rule of every group that the interface is in, one after another. */
function allowed(
  vpc: VpcIntent,
  eni: InterfaceIntent,
  direction: "ingress" | "egress",
  other: Ip,
  way: number,
  opening: Opening,
): boolean {
  for (const number of eni.groups) {
    for (const group of vpc.securityGroups) {
      if (group.number !== number) continue;
      for (const rule of group.rules) {
        if (rule.direction !== direction || !meant(rule.traffic, opening)) continue;
        const { peer } = rule;
        if (peer.kind === "block" && inBlock(peer.block, other)) return true;
        if (peer.kind !== "group") continue;
        const members = vpc.peerGroups.filter((g) => g.group === peer.group && g.peering === way);
        const addresses = members.flatMap((g) => g.members).map((member) => formatIp(member.ip));
        if (addresses.includes(formatIp(other))) return true;
      }
    }
  }
  return false;
}

/** By bits, as text. */
function inBlock(block: Cidr, { value }: Ip): boolean {
  const bits = (n: bigint) => n.toString(2).padStart(32, "0").slice(0, block.prefix);
  return bits(block.base) === bits(value);
}

const NUMBERS = { tcp: 6, udp: 17 };

function meant(traffic: Traffic, opening: Opening): boolean {
  if (traffic.kind === "all") return true;
  if (opening.kind === "icmp") {
    if (traffic.kind === "protocol") return traffic.protocol === 1;
    if (traffic.kind !== "icmp") return false;
    const type = traffic.type ?? opening.type;
    const code = traffic.type === null ? opening.code : (traffic.code ?? opening.code);
    return type === opening.type && code === opening.code;
  }
  if (traffic.kind === "protocol") return traffic.protocol === opening.protocol;
  if (traffic.kind === "icmp" || opening.kind === "protocol") return false;
  const named = traffic.protocol === NUMBERS.tcp ? NUMBERS.tcp : NUMBERS.udp;
  const ports = Array.from({ length: traffic.to - traffic.from + 1 }, (_, i) => traffic.from + i);
  return named === opening.protocol && ports.includes(opening.port);
}

/** Interfaces of every VPC, with theirs. */
export function everyInterface({ vpcs }: Topology): { vpc: VpcIntent; eni: InterfaceIntent }[] {
  return vpcs.flatMap((vpc) => vpc.interfaces.map((eni) => ({ vpc, eni })));
}

export { interfaceAt };
