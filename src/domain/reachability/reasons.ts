import { type Cidr, containsIp, formatCidr, formatIp, type Ip } from "../cidr.js";
import type { NextHop, PeeringSeen } from "./next-hop.js";
import { describeOpening, type Opening } from "./question.js";
import { type Candidate, ruleBeyondLimit } from "./rules.js";
import { STOPS, type Stop } from "./verdict.js";

/** Each reason why a connection stops, and what would have to change, in words for the asker. */

export function notPluggedIn(
  code: "senderNotPluggedIn" | "receiverNotPluggedIn",
  id: string,
  beyond: boolean,
): Stop {
  return {
    code,
    beyond,
    reason: `${STOPS[code]}: no single port of the VPC's bridge is bound to ${id}`,
    remedy: `one port of the VPC's bridge with external_ids:iface-id=${id}`,
  };
}

export function switchOutage(outage: string): Stop {
  return {
    code: "switchOutage",
    beyond: false,
    reason: `${STOPS.switchOutage}: ${outage}`,
    remedy: "the switch put right by the operator of the host",
  };
}

export function portDead(
  code: "senderPortDead" | "receiverPortDead",
  id: string,
  { message, beyond }: { message: string; beyond: boolean },
): Stop {
  return {
    code,
    beyond,
    reason: `${STOPS[code]}: of ${id}, ${message}`,
    remedy: "the port, its device or the far end of its link put right; nobody need be told then",
  };
}

export function notUnicast(to: Ip): Stop {
  return {
    code: "notUnicast",
    beyond: false,
    reason: `${STOPS.notUnicast}: ${formatIp(to)} is nobody's own address`,
    remedy: "the address of a network interface as destination",
  };
}

export function noRoute(table: string, to: Ip, peerings: readonly PeeringSeen[]): Stop {
  const address = formatIp(to);
  const [peering, block] = offering(peerings, to) ?? [];
  return {
    code: "noRoute",
    beyond: false,
    reason: `${STOPS.noRoute}: ${table} has none for ${address}`,
    remedy:
      peering === undefined || block === undefined
        ? `an active peering with a VPC that has ${address}, and a route to it in ${table}`
        : `a route to ${peering.id} in ${table} for ${formatCidr(block)}, or a part of it with ${address}`,
  };
}

function offering(peerings: readonly PeeringSeen[], to: Ip): [PeeringSeen, Cidr] | undefined {
  for (const peering of peerings.filter(({ settling }) => !settling)) {
    const block = peering.peer.blocks.find((candidate) => containsIp(candidate, to));
    if (block !== undefined) return [peering, block];
  }
  return undefined;
}

export function blackhole(table: string, destination: Cidr, to: Ip): Stop {
  const block = formatCidr(destination);
  return {
    code: "blackhole",
    beyond: false,
    reason: `${STOPS.blackhole}: in ${table}, the one for ${block}, the closest to ${formatIp(to)}`,
    remedy: `the route for ${block} in ${table} deleted, or replaced by one to an active peering`,
  };
}

export function routedElsewhere(
  to: Ip,
  { table, via, meantVpcId }: { table: string; via: string | undefined; meantVpcId: string },
): Stop {
  const way = via === undefined ? "inside the sender's own VPC" : `to ${via}`;
  return {
    code: "routedElsewhere",
    beyond: false,
    reason: `${STOPS.routedElsewhere}: ${table} routes ${formatIp(to)} ${way}, not to ${meantVpcId}`,
    remedy:
      via === undefined
        ? `blocks of the two VPCs that do not overlap, and a peering with ${meantVpcId}`
        : `a route in ${table} for ${formatIp(to)} to an active peering with ${meantVpcId}`,
  };
}

export function opensNoConnection(opening: Opening): Stop {
  return {
    code: "opensNoConnection",
    beyond: false,
    reason: `${STOPS.opensNoConnection}: ${describeOpening(opening)}`,
    remedy:
      opening.kind === "icmp"
        ? "no rule: it passes together with the connection that it is about"
        : "no rule: this protocol has no place in IPv4",
  };
}

export function noRule(candidate: Candidate, beyond: boolean): Stop {
  const { eni, direction, other, opening } = candidate;
  const code = direction === "egress" ? "egressPolicy" : "ingressPolicy";
  const way = direction === "egress" ? "to" : "from";
  const what = `${describeOpening(opening)} ${way} ${formatIp(other)}`;
  const groups = eni.groups.length === 0 ? `${eni.id} has no security group` : `of ${eni.id}`;
  const limited = ruleBeyondLimit(candidate)?.rule.id;
  if (limited !== undefined) {
    return {
      code,
      beyond,
      reason: `${STOPS[code]}: ${what} (${groups}); ${limited} names a group with more members than may be in force, and ${formatIp(other)} is not among the first`,
      remedy: `a rule for a block with ${formatIp(other)}, fewer members in the group that ${limited} names, or a higher quota for them`,
    };
  }
  return {
    code,
    beyond,
    reason: `${STOPS[code]}: ${what} (${groups})`,
    remedy: `an ${direction} rule for ${what} in a security group of ${eni.id}`,
  };
}

export function connectionLimit(
  { eni, direction, other, opening }: Candidate,
  beyond: boolean,
): Stop {
  const what = direction === "egress" ? "it has opened" : "others have opened to it";
  const way = direction === "egress" ? "to" : "from";
  return {
    code: "connectionLimit",
    beyond,
    reason: `${STOPS.connectionLimit}: ${eni.id}, of those that ${what}; ${describeOpening(opening)} ${way} ${formatIp(other)} is one too many`,
    remedy: `fewer connections that ${what}, or a higher PATCHBAY_CONNECTIONS_PER_INTERFACE; on a host whose table is full, fewer of anybody`,
  };
}

export function notAdmitted(ip: Ip, peering: PeeringSeen, whose: "own" | "peer"): Stop {
  const side = peering[whose];
  const isTold = whose === "own" || !peering.settling;
  const blocks = side.blocks.map(formatCidr).join(", ");
  return {
    code: "notAdmitted",
    beyond: !isTold,
    reason: `${STOPS.notAdmitted}: ${formatIp(ip)} is in no block of ${side.vpcId}${isTold ? ` (${blocks})` : ""}, which ${peering.id} connects`,
    remedy: `an address in ${isTold ? blocks : "one of its blocks"}, or a route for ${formatIp(ip)} to the peering of a VPC that has it`,
  };
}

export function noSuchAddress(to: Ip, vpcId: string, beyond: boolean): Stop {
  return {
    code: "noSuchAddress",
    beyond,
    reason: `${STOPS.noSuchAddress} ${formatIp(to)} in ${vpcId}`,
    remedy: `a network interface with ${formatIp(to)} in a subnet of ${vpcId}`,
  };
}

export function gatewayOnlyAnswersPing(to: Ip, beyond: boolean): Stop {
  const where = beyond ? ", and only interfaces of its own VPC" : "";
  return {
    code: "gatewayOnlyAnswersPing",
    beyond,
    reason: `${STOPS.gatewayOnlyAnswersPing}${where}: ${formatIp(to)}`,
    remedy: "the address of a network interface as destination",
  };
}

export function ambiguousSource(
  source: Ip,
  { vpcId, table, via }: { vpcId: string; table: string; via: string },
): Stop {
  const address = formatIp(source);
  return {
    code: "ambiguousSource",
    beyond: true,
    reason: `${STOPS.ambiguousSource}: in ${vpcId}, ${table} does not route ${address} to ${via}`,
    remedy: `a route in ${table} to ${via} for ${address}`,
  };
}

export function noRouteBack(
  source: Ip,
  { table, via, found }: { table: string; via: string | undefined; found: NextHop | undefined },
): Stop {
  const address = formatIp(source);
  const instead =
    found === undefined
      ? "has none"
      : `has the route for ${formatCidr(found.destination)}, which leads ${found.peering === null ? "to a peering that is not active" : "another way"}`;
  return {
    code: "noRouteBack",
    beyond: via !== undefined,
    reason: `${STOPS.noRouteBack}: for ${address}, ${table} ${instead}`,
    remedy: `a route in ${table} to ${via ?? "the VPC"} for ${address}`,
  };
}
