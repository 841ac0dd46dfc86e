import type { PeeringIntent } from "../../domain/intent.js";
import type { Outcome } from "../backend.js";
import { sidesOf } from "../flows/desired.js";
import { type SideKnowledge, sidesAreReady } from "./admission.js";
import type { Topology } from "./topology.js";

/** The unsettled peerings of a slice that are where they should be, once the datapath has been confirmed. */
export function settledPeerings(
  known: SideKnowledge,
  topology: Topology,
): Pick<Outcome, "installedPeerings" | "removedPeerings"> {
  // Of the others nobody asks: a VPC that gets its hundredth peering has ninety-nine of them.
  const peerings = known.slice.peerings.filter(({ settling }) => settling !== false);
  const installed = peerings.filter((p) => p.admitted && isInstalled(p, known));
  const removed = peerings.filter((p) => !p.admitted && isRemoved(p, known, topology));
  return {
    installedPeerings: installed.map(({ id }) => id),
    removedPeerings: removed.map(({ id }) => id),
  };
}

/** After an apply without failure, what is on the exchange of a peering is all that should be. */
function isInstalled(peering: PeeringIntent, known: SideKnowledge): boolean {
  const exchange = known.belief.of(known.names.exchange);
  const admitted = (exchange?.ofPeering(peering.number).length ?? 0) > 0;
  return admitted && sidesAreReady(peering, known);
}

function isRemoved(peering: PeeringIntent, known: SideKnowledge, topology: Topology): boolean {
  const { belief, names } = known;
  const bridges = sidesOf(peering).map(({ vpcNumber }) => names.vpcBridge(vpcNumber));
  return [...bridges, names.exchange].every((bridge) => {
    if (topology.bridges.get(bridge)?.own !== true) return true;
    return belief.of(bridge)?.ofPeering(peering.number).length === 0;
  });
}
