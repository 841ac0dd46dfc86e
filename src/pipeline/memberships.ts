import { resubmit, setRegister } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { type BoundInterface, ofInterface, type VpcContext, vpcFlow } from "./context.js";
import { PRIORITIES } from "./priorities.js";
import { REGISTERS, registerMatch } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

/** Joining or leaving a group changes one flow here, however many rules the group has. */
export function membershipFlow(context: VpcContext, eni: BoundInterface): Flow {
  return vpcFlow(context, "memberships", ofInterface(eni), {
    priority: PRIORITIES.ordinary.value,
    match: registerMatch(REGISTERS.interface, eni.number),
    actions: eni.groups.flatMap((group) => [
      setRegister(REGISTERS.group.field, group),
      resubmit(VPC_TABLES.rules.number),
    ]),
  });
}
