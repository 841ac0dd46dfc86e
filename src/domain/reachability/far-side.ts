import { type Hop, STOPS, type Stop, type Verdict } from "./verdict.js";

/** One and the same whatever it is that stops it there. */
const FAR_SIDE: Stop = {
  code: "farSide",
  beyond: true,
  reason: STOPS.farSide,
  remedy:
    "something on the far side: an interface with the address that is plugged in, an ingress rule, a route back; its owner can ask for the details",
};

/**
 * The verdict for somebody to whom the far side belongs to a stranger: it is reached, or it stops
 * the connection. Where egress asks who is in a group over there, even the near side tells no more.
 */
export function hideFarSide(verdict: Verdict): Verdict {
  const { stop, through, hops } = verdict;
  if (through === undefined) return verdict;
  const tells = isAtEgress(stop) && verdict.egressTellsOfFarSide;
  if (stop === undefined) {
    return {
      ...verdict,
      hops: hops.filter((hop) => isNear(hop, through.toVpcId) && !names(hop, verdict)),
    };
  }
  if (!stop.beyond && !tells) return verdict;
  const near = hops.filter(
    (hop) => hop.kind !== "peering" && isNear(hop, through.toVpcId) && !names(hop, verdict),
  );
  return {
    ...verdict,
    hops: [...near, crossing(near, verdict)],
    stop: FAR_SIDE,
    answering: undefined,
  };
}

/** Whether it says that an egress rule allows the connection, or that none does. */
function isAtEgress(stop: Stop | undefined): boolean {
  return stop?.code === "egressPolicy" || (stop?.code === "connectionLimit" && !stop.beyond);
}

function isNear(hop: Hop, farVpcId: string): boolean {
  return hop.kind === "peering" || hop.vpcId !== farVpcId;
}

/** Whether the hop says that the destination is in a group of the far side. */
function names(hop: Hop, { egressTellsOfFarSide }: Verdict): boolean {
  return hop.kind === "rule" && egressTellsOfFarSide;
}

function crossing(near: readonly Hop[], { through }: Verdict): Hop {
  const [first] = near;
  const fromVpcId = first !== undefined && first.kind !== "peering" ? first.vpcId : "";
  return {
    kind: "peering",
    vpcPeeringId: through?.vpcPeeringId ?? "",
    fromVpcId,
    toVpcId: through?.toVpcId ?? "",
  };
}
