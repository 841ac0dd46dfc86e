import type { Cidr, Ip } from "../cidr.js";

/** One step on the way of a connection's first packet; `routeBack` is one on the way of its answer. */
export type Hop =
  | {
      readonly kind: "interface";
      readonly vpcId: string;
      readonly networkInterfaceId: string;
      readonly ip: Ip;
    }
  | {
      readonly kind: "subnet";
      readonly vpcId: string;
      readonly subnetId: string;
      readonly block: Cidr;
    }
  | RouteHop
  | { readonly kind: "gateway"; readonly vpcId: string; readonly ip: Ip }
  | {
      readonly kind: "rule";
      readonly vpcId: string;
      readonly direction: "egress" | "ingress";
      readonly securityGroupId: string;
      readonly securityGroupRuleId: string;
      /** Whether it allows what it allows to the members of a group. */
      readonly byGroup: boolean;
    }
  | {
      readonly kind: "peering";
      readonly vpcPeeringId: string;
      readonly fromVpcId: string;
      readonly toVpcId: string;
    };

export interface RouteHop {
  readonly kind: "route" | "routeBack";
  readonly vpcId: string;
  readonly routeTableId: string;
  readonly destination: Cidr;
  /** Undefined: the VPC itself. */
  readonly vpcPeeringId: string | undefined;
}

/** Everything that can stop a connection, in the order in which it is met. */
export const STOPS = {
  switchOutage: "nothing new passes through the switch",
  senderNotPluggedIn: "the sender is not plugged in",
  senderPortDead: "the sender is plugged into a port that carries no packets",
  notUnicast: "broadcast and multicast are not forwarded",
  noRoute: "no route leads to the destination",
  blackhole: "the route leads to a peering that is not active",
  routedElsewhere: "the route leads to another VPC than the one that is meant",
  opensNoConnection: "it is an ICMP message that opens no connection",
  egressPolicy: "no egress rule of the sender's security groups allows it",
  notAdmitted: "outside the blocks that the peering connects",
  noSuchAddress: "no network interface has the address",
  gatewayOnlyAnswersPing: "the address is a gateway's, which answers ping and nothing else",
  receiverNotPluggedIn: "the receiver is not plugged in",
  receiverPortDead: "the receiver is plugged into a port that carries no packets",
  ambiguousSource:
    "the receiver's VPC has peers with the same addresses and does not route to this one",
  ingressPolicy: "no ingress rule of the receiver's security groups allows it",
  connectionLimit:
    "an interface has as many connections in this direction as it may have, or the host has no room",
  noRouteBack: "it arrives, but the answer does not come back",
  farSide: "the far side of the peering does not let it in, or has nothing there",
} as const satisfies Record<string, string>;

export type StopCode = keyof typeof STOPS;

export interface Stop {
  readonly code: StopCode;
  /** Whether it is behind a peering, as the sender sees it. */
  readonly beyond: boolean;
  /** Whether the sender's egress rules show it already: those mean only members that are plugged in. */
  readonly atEgress?: true;
  readonly reason: string;
  /** What would have to change. */
  readonly remedy: string;
  /** A request for a peering that would help, once it is accepted. */
  readonly pendingPeering?: string;
}

/** A peer's block with an address that another peer has too, or whose route was withheld. */
export interface ContestedBlock {
  readonly block: Cidr;
  readonly vpcPeeringId: string;
  /** Whether the route to it was withheld from the table that decides. */
  readonly withheld: boolean;
}

export interface Verdict {
  readonly hops: readonly Hop[];
  /** Undefined: both the first packet and its answer arrive. */
  readonly stop: Stop | undefined;
  /** What answers: an interface, or the VPC's router as a gateway; undefined when nothing does. */
  readonly answering: { readonly networkInterfaceId: string } | "gateway" | undefined;
  /** The peering that it takes, if any. */
  readonly through:
    | { readonly vpcPeeringId: string; readonly number: number; readonly toVpcId: string }
    | undefined;
  /** The blocks that the sender's route table chooses between; none where nobody contends. */
  readonly contested: readonly ContestedBlock[];
  /**
   * Whether egress hangs on who is in a group of the far side: what stops it then tells of the far
   * side, although it stops on this one.
   */
  readonly egressTellsOfFarSide: boolean;
}
