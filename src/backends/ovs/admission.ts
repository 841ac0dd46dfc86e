import type { IntentSlice, PeeringIntent, PeeringSide } from "../../domain/intent.js";
import { decodeCookie } from "../../openflow/cookie.js";
import type { FlowDelta } from "../../openflow/delta.js";
import type { Flow } from "../../openflow/flow.js";
import { flowKey, sameValue } from "../../openflow/text.js";
import { isOfOtherLayout } from "../../pipeline/layout.js";
import type { RenderOptions } from "../../pipeline/render.js";
import { desiredSideFlows, type PortView, sidesOf } from "../flows/desired.js";
import type { SwitchNames } from "../names.js";
import type { Belief } from "./belief.js";

/** What is known of the switch once the bridges of the VPCs were programmed. */
export interface SideKnowledge {
  readonly slice: IntentSlice;
  readonly failedVpcs: ReadonlyMap<string, string>;
  readonly belief: Belief;
  readonly names: SwitchNames;
  readonly ports: PortView;
  readonly options: RenderOptions;
}

export interface Admission {
  /** What may be added to the exchange now. */
  readonly additions: FlowDelta;
  /** Peerings that may not: one of their VPCs' bridges is not ready. */
  readonly withheld: ReadonlySet<PeeringIntent>;
}

/**
 * What the exchange must lose before anything else is done. Flows of another layout that let an
 * admitted peering's packets pass are not among it: their successors take their place.
 */
export function revocations(delta: FlowDelta, { peerings }: IntentSlice): FlowDelta {
  const admitted = new Set(peerings.flatMap((each) => (each.admitted ? each.number : [])));
  const isSucceeded = (flow: Flow) =>
    isOfOtherLayout(flow) && admitted.has(peeringNumberOf(flow) ?? 0);
  const unexpected = delta.unexpected.filter((flow) => !isSucceeded(flow));
  return { missing: [], changed: [], unexpected, foreign: [] };
}

/** What is left to do on the exchange after the revocations, should every VPC be ready. */
export function admissions(delta: FlowDelta, intent: IntentSlice): FlowDelta {
  const revoked = new Set(revocations(delta, intent).unexpected);
  const unexpected = delta.unexpected.filter((flow) => !revoked.has(flow));
  return { ...delta, unexpected, foreign: [] };
}

/**
 * Splits what the exchange lacks, once the revocations have been carried out: a peering is admitted
 * only once both its VPCs are ready. What its flows succeed goes at the same moment.
 */
export function splitAdmission(delta: FlowDelta, known: SideKnowledge): Admission {
  const peerings = new Map(known.slice.peerings.map((peering) => [peering.number, peering]));
  const withheld = new Set<PeeringIntent>();
  const ready = new Set<PeeringIntent>();
  const mayAdd = (flow: Flow) => {
    const peering = peerings.get(peeringNumberOf(flow) ?? 0);
    if (peering === undefined || ready.has(peering)) return true;
    if (!withheld.has(peering)) {
      (sidesAreReady(peering, known) ? ready : withheld).add(peering);
    }
    return ready.has(peering);
  };
  const all = admissions(delta, known.slice);
  const missing = all.missing.filter(mayAdd);
  const changed = all.changed.filter(({ to }) => mayAdd(to));
  const unexpected = all.unexpected.filter(mayAdd);
  return { additions: { missing, changed, unexpected, foreign: [] }, withheld };
}

export function sidesAreReady(peering: PeeringIntent, known: SideKnowledge): boolean {
  return sidesOf(peering).every((side) => sideIsReady(peering, side, known));
}

/** A VPC that is not being worked on is ready when the peering's flows are known to be there. */
export function sideIsReady(
  peering: PeeringIntent,
  side: PeeringSide,
  { slice, failedVpcs, belief, names, ports, options }: SideKnowledge,
): boolean {
  if (slice.vpcs.has(side.vpcId)) return !failedVpcs.has(side.vpcId);
  const installed = belief.of(names.vpcBridge(side.vpcNumber));
  const desired = desiredSideFlows(peering, side, ports, options);
  const isInstalled = (flow: Flow) => {
    const found = installed?.get(flowKey(flow));
    return found !== undefined && sameValue(found, flow);
  };
  return desired.length > 0 && desired.every(isInstalled);
}

function peeringNumberOf({ cookie }: Flow): number | undefined {
  const { category, object } = decodeCookie(cookie);
  return category === "peering" ? object : undefined;
}
