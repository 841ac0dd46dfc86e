import { setImmediate as letOthersGo } from "node:timers/promises";
import type { IntentSlice, VpcIntent } from "../../domain/intent.js";
import { ownsCookie } from "../../openflow/cookie.js";
import { diffChangedParts, diffFlows, diffParts, type FlowDelta } from "../../openflow/delta.js";
import type { Flow } from "../../openflow/flow.js";
import type { Part } from "../../openflow/parts.js";
import { flowKey } from "../../openflow/text.js";
import { vpcContext } from "../../pipeline/context.js";
import type { RenderOptions } from "../../pipeline/render.js";
import { vpcBridgeParts } from "../../pipeline/vpc-bridge.js";
import { desiredExchangeFlows, type PortView, peeringsByVpc } from "./desired.js";
import { InstalledFlows } from "./installed.js";
import type { RenderedBridges } from "./rendered.js";

/** What separates the bridge of a VPC from what is intended. */
export interface VpcComparison {
  readonly vpc: VpcIntent;
  readonly delta: FlowDelta;
  /** All that is desired of the bridge. */
  readonly desired: readonly Part[];
}

/** Some 20 ms of work. */
const VPCS_AT_ONCE = 16;

/**
 * Compares the bridge of each VPC in the slice with what is believed to be installed on it. With
 * many VPCs requests are answered in between.
 */
export async function compareVpcs(
  slice: IntentSlice,
  installed: (vpc: VpcIntent) => InstalledFlows | undefined,
  ports: PortView,
  options: RenderOptions,
  rendered: RenderedBridges,
): Promise<VpcComparison[]> {
  const peerings = peeringsByVpc(slice);
  rendered.forgetGone(slice);
  const comparisons: VpcComparison[] = [];
  for (const vpc of slice.vpcs.values()) {
    const context = vpcContext(vpc, peerings.get(vpc.id) ?? [], ports.ofVpc(vpc), options);
    const desired = vpcBridgeParts(context, rendered.of(vpc.id));
    comparisons.push({ vpc, desired, delta: compareBridge(desired, installed(vpc), options.mark) });
    if (comparisons.length % VPCS_AT_ONCE === 0) await letOthersGo();
  }
  return comparisons;
}

function compareBridge(
  desired: readonly Part[],
  installed: InstalledFlows | undefined,
  mark: number,
): FlowDelta {
  const flows = installed ?? new InstalledFlows(mark);
  const { agreed } = flows;
  const owns = ownsCookie(mark);
  if (agreed === undefined) return diffParts(desired, flows, owns);
  return diffChangedParts(desired, agreed, flows, owns);
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
