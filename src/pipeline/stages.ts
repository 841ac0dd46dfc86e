import type { DropReason } from "../domain/drops.js";
import type { Role } from "./registers.js";

/** One of the two times that a packet is judged: as its sender's, and as its receiver's. */
export interface Stage {
  readonly state: "egressState" | "ingressState";
  readonly other: "egressOther" | "ingressOther";
  readonly verdict: "egressVerdict" | "ingressVerdict";
  readonly room: "egressRoom" | "ingressRoom";
  readonly onward: "peering" | "ingressAdmission";
  readonly refusal: DropReason;
  /** What the interface is in a connection that such a packet opens, and in one that it answers. */
  readonly opening: Role;
  readonly answering: Role;
}

export const STAGES: readonly Stage[] = [
  {
    state: "egressState",
    other: "egressOther",
    verdict: "egressVerdict",
    room: "egressRoom",
    onward: "peering",
    refusal: "egressPolicy",
    opening: "caller",
    answering: "called",
  },
  {
    state: "ingressState",
    other: "ingressOther",
    verdict: "ingressVerdict",
    room: "ingressRoom",
    onward: "ingressAdmission",
    refusal: "ingressPolicy",
    opening: "called",
    answering: "caller",
  },
];
