/**
 * Why packets of or for a network interface are dropped, as far as they are counted by interface.
 * The names are in the API and in metrics: they stay what they are.
 */
export const DROP_MEANINGS = {
  spoofed: "not sent as the interface itself, or not to its router",
  noRoute: "no route leads to the destination",
  blackhole: "the route's peering is not active, or gone",
  egressPolicy: "the sender's groups do not allow the connection, or it is invalid",
  notAdmitted: "outside the blocks that the peering connects",
  ingressPolicy: "the receiver's groups do not allow the connection, or it is invalid",
  connectionLimit:
    "the interface has as many connections in this direction as it may have, or the host has no room for more",
} as const;

export type DropReason = keyof typeof DROP_MEANINGS;

export interface DropCount {
  readonly packets: number;
  /** Of whole Ethernet frames, without their check sequence. */
  readonly bytes: number;
}

/** What was dropped of and for one network interface while it was plugged in. */
export interface InterfaceDrops {
  /** For how long all of the counters have been counting, at least. */
  readonly seconds: number;
  readonly counts: Readonly<Record<DropReason, DropCount>>;
}

/** A counter that is not zero. */
export interface CountedDrop extends DropCount {
  readonly networkInterfaceId: string;
  readonly vpcId: string;
  readonly reason: DropReason;
}

/** The counters of every interface. */
export interface DropSurvey {
  /** Only those that are not zero: most interfaces drop nothing. */
  readonly drops: readonly CountedDrop[];
  /** False when the switch, or one of its bridges, could not be read in time. */
  readonly complete: boolean;
}
