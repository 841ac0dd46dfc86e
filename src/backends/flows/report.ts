import type { BridgeDiff, PeeringBridgeFlows } from "../../domain/data-plane.js";
import type { PeeringIntent } from "../../domain/intent.js";
import type { FlowDelta } from "../../openflow/delta.js";
import { formatFlow } from "../../openflow/text.js";
import type { RenderOptions } from "../../pipeline/render.js";
import type { SwitchNames } from "../names.js";
import { desiredAdmissionFlows, desiredSideFlows, type PortView, sidesOf } from "./desired.js";

/** A delta as text for people; what changes is shown as it is to become. */
export function describeDelta(bridge: string, delta: FlowDelta): BridgeDiff {
  return {
    bridge,
    missing: delta.missing.map(formatFlow),
    changed: delta.changed.map(({ to }) => formatFlow(to)),
    unexpected: delta.unexpected.map(formatFlow),
    foreign: delta.foreign.map(formatFlow),
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
