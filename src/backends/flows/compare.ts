import type { IntentSlice, VpcIntent } from "../../domain/intent.js";
import { ownsCookie } from "../../openflow/cookie.js";
import { diffFlows, type FlowDelta } from "../../openflow/delta.js";
import type { Flow } from "../../openflow/flow.js";
import { flowKey } from "../../openflow/text.js";
import { type RenderOptions, vpcBridgeFlows } from "../../pipeline/render.js";
import { desiredExchangeFlows, type PortView, peeringsByVpc } from "./desired.js";
import type { InstalledFlows } from "./installed.js";

/** What separates the bridge of a VPC from what is intended. */
export interface VpcComparison {
  readonly vpc: VpcIntent;
  readonly delta: FlowDelta;
  readonly desiredCount: number;
}

/** Compares the bridge of each VPC in the slice with what is believed to be installed on it. */
export function compareVpcs(
  slice: IntentSlice,
  installed: (vpc: VpcIntent) => InstalledFlows | undefined,
  ports: PortView,
  options: RenderOptions,
): VpcComparison[] {
  const peerings = peeringsByVpc(slice);
  const owns = ownsCookie(options.mark);
  return [...slice.vpcs.values()].map((vpc) => {
    const own = peerings.get(vpc.id) ?? [];
    const desired = vpcBridgeFlows(vpc, own, ports.ofVpc(vpc), options);
    const delta = diffFlows(desired, installed(vpc)?.all() ?? [], owns);
    return { vpc, delta, desiredCount: desired.length };
  });
}

/**
 * Compares the exchange with the slice. For a scope that names VPCs only the peerings of these are
 * looked at: those in the slice, and any other that admits packets from one of their ports.
 */
export function compareExchange(
  slice: IntentSlice,
  installed: InstalledFlows,
  ports: PortView,
  options: RenderOptions,
): FlowDelta {
  const desired = desiredExchangeFlows(slice, ports, options);
  const relevant =
    slice.scope === "all" ? installed.all() : relevantFlows(slice, desired, installed, ports);
  return diffFlows(desired, relevant, ownsCookie(options.mark));
}

function relevantFlows(
  slice: IntentSlice,
  desired: readonly Flow[],
  installed: InstalledFlows,
  ports: PortView,
): Iterable<Flow> {
  const relevant = new Map<string, Flow>();
  const note = (flow: Flow | undefined) => {
    if (flow !== undefined) relevant.set(flowKey(flow), flow);
  };
  for (const flow of desired) note(installed.get(flowKey(flow)));
  installed.foreign().forEach(note);
  for (const number of relevantPeerings(slice, installed, ports)) {
    installed.ofPeering(number).forEach(note);
  }
  return relevant.values();
}

function relevantPeerings(
  slice: IntentSlice,
  installed: InstalledFlows,
  ports: PortView,
): Set<number> {
  const numbers = new Set(slice.peerings.map(({ number }) => number));
  for (const vpcId of slice.scope) {
    const port = ports.onExchange(vpcId);
    for (const flow of port === undefined ? [] : installed.enteringAt(port)) {
      const number = installed.peeringOf(flow);
      if (number !== undefined) numbers.add(number);
    }
  }
  return numbers;
}
