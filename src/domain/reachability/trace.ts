import type { Ip } from "../cidr.js";
import type { InterfaceIntent } from "../intent.js";
import type { Opening } from "./question.js";
import type { StopCode, Verdict } from "./verdict.js";

/** The stations of a packet's way through a switch, whatever the switch makes them of. */
export const STAGES = [
  "entry",
  "spoofGuard",
  "route",
  "egressPolicy",
  "peering",
  "exchange",
  "fromPeer",
  "returnRoute",
  "receiver",
  "ingressPolicy",
  "delivery",
] as const;

export type Stage = (typeof STAGES)[number];

/** An interface, and the numbers that the switch knows its VPC by. */
export interface End {
  readonly vpcId: string;
  readonly vpcNumber: number;
  readonly eni: InterfaceIntent;
  /** The address that it sends from. */
  readonly source: Ip;
}

/** The first packet of a connection, to be followed through the switch; and its answer. */
export interface Probe {
  readonly from: End;
  readonly to: Ip;
  readonly opening: Opening;
  /** Whether a host would send it to its router; otherwise it is broadcast. */
  readonly unicast: boolean;
  /** Who answers; undefined: nobody is expected to, and no answer is followed. */
  readonly answering: End | undefined;
  /** Number of the peering in between, 0 within a VPC. */
  readonly peering: number;
}

/** What one bridge does with a packet. */
export interface TraceStep {
  readonly bridge: string;
  /** Null for the exchange. */
  readonly vpcId: string | null;
  /** As far as it gets. */
  readonly stages: readonly Stage[];
}

/** What the installed flows do with a packet. */
export interface Trace {
  readonly steps: readonly TraceStep[];
  /** Where it ends, when it does not arrive. */
  readonly dropped: Stage | undefined;
  readonly delivered: Verdict["answering"];
}

export type TraceOutcome =
  | { readonly kind: "traced"; readonly there: Trace; readonly back: Trace | undefined }
  /** `why` may be told to anybody. */
  | { readonly kind: "untraced"; readonly why: string };

/** Asks the switch, without sending anything. Never rejects. */
export interface Tracing {
  trace(probe: Probe): Promise<TraceOutcome>;
}

/** Where the switch is to drop what the verdict stops; null: the switch cannot be asked. */
const DROPPED_AT: Readonly<Record<StopCode, Stage | "back" | null>> = {
  switchOutage: null,
  senderNotPluggedIn: null,
  senderPortDead: null,
  notUnicast: "spoofGuard",
  noRoute: "route",
  blackhole: "route",
  routedElsewhere: null,
  opensNoConnection: null,
  egressPolicy: "egressPolicy",
  notAdmitted: "peering",
  noSuchAddress: "receiver",
  gatewayOnlyAnswersPing: "receiver",
  receiverNotPluggedIn: "receiver",
  receiverPortDead: null,
  ambiguousSource: "returnRoute",
  ingressPolicy: "ingressPolicy",
  connectionLimit: null,
  noRouteBack: "back",
  farSide: null,
};

/** Why the switch cannot be asked about this verdict; undefined when it can. */
export function untraceable({ stop }: Verdict): string | undefined {
  switch (stop?.code) {
    case "switchOutage":
      return "the switch can be asked what its flows do, but does not do it";
    case "senderNotPluggedIn":
      return "the sender has no port from which a packet could be followed";
    case "senderPortDead":
      return "no packet comes in by the sender's port";
    case "routedElsewhere":
      return "packets to this address are not for the interface that was asked about";
    case "opensNoConnection":
      return "what becomes of it depends on the connection that it belongs to";
    default:
      return undefined;
  }
}

/** Whether the switch does what intent says, for the same reason. */
export function agree(
  { stop, answering }: Verdict,
  sender: { readonly networkInterfaceId: string },
  { there, back }: TraceOutcome & { kind: "traced" },
): boolean {
  // Its flows may be as they would be if it lived, or gone; what makes it dead is not among them.
  if (stop?.code === "receiverPortDead") return true;
  if (!isSame(there.delivered, answering)) return false;
  if (stop === undefined) return answering === "gateway" || isSame(back?.delivered, sender);
  if (stop.code === "connectionLimit") return true;
  const at = stop.atEgress === true ? "egressPolicy" : DROPPED_AT[stop.code];
  return at === "back" ? back?.delivered === undefined : there.dropped === at;
}

function isSame(a: Verdict["answering"], b: Verdict["answering"]): boolean {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  return a.networkInterfaceId === b.networkInterfaceId;
}
