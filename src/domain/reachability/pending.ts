import { type Cidr, containsIp, type Ip } from "../cidr.js";
import { admittedPeerings, nextHop, type PeeringSeen, routeTableId } from "./next-hop.js";
import { askerOf, type Facts, type Question } from "./question.js";
import type { Stop, Verdict } from "./verdict.js";

/** A connection that stops because no active peering leads to its destination. */
export interface PeeringWanted {
  readonly vpcId: string;
  readonly to: Ip;
  /** The VPC in which the address is meant; undefined: any that has it. */
  readonly meantVpcId: string | undefined;
  /** The route that would lead there, if its peering were active. */
  readonly blackhole: { readonly routeTableId: string; readonly destination: Cidr } | undefined;
}

/** Undefined where it stops for another reason, or an active peering waits for a route only. */
export function peeringWanted(
  facts: Facts,
  question: Question,
  { stop }: Verdict,
): PeeringWanted | undefined {
  const asker = askerOf(facts, question);
  if (asker === undefined || !isForWant(stop)) return undefined;
  const { vpcId, to, meantVpcId } = question;
  const leadsThere = ({ settling, peer }: PeeringSeen) =>
    meantVpcId === undefined
      ? !settling && peer.blocks.some((block) => containsIp(block, to))
      : peer.vpcId === meantVpcId;
  if (meantVpcId === vpcId || admittedPeerings(facts.peerings, vpcId).some(leadsThere)) {
    return undefined;
  }
  const { vpc, sender } = asker;
  const subnet = vpc.subnets.find(({ id }) => id === sender.subnetId);
  const hop = subnet && nextHop(vpc, subnet, to);
  const blackhole =
    subnet === undefined || hop?.peering !== null
      ? undefined
      : { routeTableId: routeTableId(vpc, subnet), destination: hop.destination };
  return { vpcId, to, meantVpcId, blackhole };
}

function isForWant(stop: Stop | undefined): boolean {
  return ["noRoute", "blackhole", "routedElsewhere", "notAdmitted"].includes(stop?.code ?? "");
}

/** The verdict, saying also which request, once accepted, would help. */
export function withPendingPeering(verdict: Verdict, vpcPeeringId: string): Verdict {
  const { stop } = verdict;
  if (stop === undefined) return verdict;
  return {
    ...verdict,
    stop: {
      ...stop,
      pendingPeering: vpcPeeringId,
      reason: `${stop.reason}; ${vpcPeeringId} has been asked for and waits to be accepted`,
      remedy: `${vpcPeeringId} accepted and routed to; or ${stop.remedy}`,
    },
  };
}
