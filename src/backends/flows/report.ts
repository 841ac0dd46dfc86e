import type { PeeringBridgeFlows } from "../../domain/data-plane.js";
import type { PeeringIntent } from "../../domain/intent.js";
import type { FlowDelta } from "../../openflow/delta.js";
import { formatFlow } from "../../openflow/text.js";
import type { RenderOptions } from "../../pipeline/render.js";
import type { BridgeDrift, PlannedBridge } from "../backend.js";
import type { SwitchNames } from "../names.js";
import { desiredAdmissionFlows, desiredSideFlows, type PortView, sidesOf } from "./desired.js";

/**
 * A delta as text for people; what changes is shown as it is to become. Written out when somebody
 * reads it: mostly nobody does, and a start has hundreds of thousands of flows to tell of.
 */
export function describeDelta(
  vpcId: string | null,
  bridge: string,
  delta: FlowDelta,
  beside: Pick<PlannedBridge, "settings" | "error" | "unread"> = { settings: [], error: null },
): PlannedBridge {
  return {
    bridge,
    vpcId,
    ...beside,
    get missing() {
      return delta.missing.map(formatFlow);
    },
    get changed() {
      return delta.changed.map(({ to }) => formatFlow(to));
    },
    get unexpected() {
      return delta.unexpected.map(formatFlow);
    },
    get foreign() {
      return delta.foreign.map(formatFlow);
    },
  };
}

/** What separates a bridge from what it was, as text: who was at it has done just that. */
export function describeDrift(bridge: string, since: FlowDelta): BridgeDrift {
  return {
    bridge,
    deleted: since.missing.map(formatFlow),
    altered: since.changed.map(({ from, to }) => ({ was: formatFlow(to), is: formatFlow(from) })),
    added: since.unexpected.map(formatFlow),
    settings: [],
  };
}

/** The desired flows of a peering on the bridges of both sides and on the exchange, as text. */
export function describePeering(
  peering: PeeringIntent,
  names: SwitchNames,
  ports: PortView,
  options: RenderOptions,
): PeeringBridgeFlows[] {
  const sides = sidesOf(peering).map((side) => ({
    bridge: names.vpcBridge(side.vpcNumber),
    vpcId: side.vpcId,
    flows: desiredSideFlows(peering, side, ports, options).map(formatFlow),
  }));
  const flows = desiredAdmissionFlows(peering, ports, options).map(formatFlow);
  return [...sides, { bridge: names.exchange, vpcId: null, flows }];
}
