import { gotoTable } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { type Subject, type VpcContext, vpcFlow } from "./context.js";
import { PRIORITIES } from "./priorities.js";
import { REGISTERS, registerMatch } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

/** The policy tables pass everything and part local packets from those for a peer. */
export function policyFlows(context: VpcContext): Flow[] {
  const subject: Subject = { category: "policy", object: context.vpc.number };
  return [
    vpcFlow(context, "egressPolicy", subject, {
      priority: PRIORITIES.ordinary.value,
      match: { ip: true, ...registerMatch(REGISTERS.peering, 0) },
      actions: [gotoTable(VPC_TABLES.ingressPolicy.number)],
    }),
    vpcFlow(context, "egressPolicy", subject, {
      priority: PRIORITIES.fallback.value,
      match: { ip: true },
      actions: [gotoTable(VPC_TABLES.peering.number)],
    }),
    vpcFlow(context, "ingressPolicy", subject, {
      priority: PRIORITIES.ordinary.value,
      match: { ip: true },
      actions: [gotoTable(VPC_TABLES.deliver.number)],
    }),
  ];
}
