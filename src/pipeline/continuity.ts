import { setRegister } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import {
  type OwnPeering,
  ofPeering,
  ofVpc,
  type Subject,
  type VpcContext,
  vpcFlow,
} from "./context.js";
import { PRIORITIES } from "./priorities.js";
import { LOCAL, REGISTERS, registerMatch, YES } from "./registers.js";

/** One flow for each way that a connection may take: OpenFlow cannot compare two fields. */
export function peeringContinuityFlow(context: VpcContext, peering: OwnPeering): Flow {
  return sameWayFlow(context, ofPeering(peering), peering.number);
}

export function localContinuityFlow(context: VpcContext): Flow {
  return sameWayFlow(context, ofVpc(context), LOCAL);
}

function sameWayFlow(context: VpcContext, subject: Subject, peering: number): Flow {
  const way = registerMatch(REGISTERS.peering, peering);
  return vpcFlow(context, "continuity", subject, {
    priority: PRIORITIES.ordinary.value,
    match: { ip: true, ...way, ct_mark: way[REGISTERS.peering.field] ?? "0" },
    actions: [setRegister(REGISTERS.continuity.field, YES)],
  });
}
