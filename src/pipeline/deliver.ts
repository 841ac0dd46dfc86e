import { formatIp } from "../domain/cidr.js";
import { output, setField } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { type BoundInterface, ofInterface, type VpcContext, vpcFlow } from "./context.js";
import { PRIORITIES } from "./priorities.js";

export function deliverFlow(context: VpcContext, eni: BoundInterface): Flow {
  return vpcFlow(context, "deliver", ofInterface(eni), {
    priority: PRIORITIES.ordinary.value,
    match: { ip: true, nw_dst: formatIp(eni.ip) },
    actions: [setField("eth_src", context.router), setField("eth_dst", eni.mac), output(eni.port)],
  });
}
