import { formatIp } from "../domain/cidr.js";
import type { SubnetIntent } from "../domain/intent.js";
import { move, setField, toIngressPort } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { ofVpc, type VpcContext, vpcFlow } from "./context.js";
import { PRIORITIES } from "./priorities.js";

/** ICMP types (RFC 792). */
const ECHO_REQUEST = "8";
const ECHO_REPLY = "0";
const REPLY_TTL = 64;

/** Gateways answer echo requests of the VPC's own interfaces; packets of peers never come here. */
export function gatewayFlows(context: VpcContext): Flow[] {
  return context.vpc.subnets.map((subnet) => echoFlow(context, subnet));
}

/** Only requests match, so that no answer is ever answered. */
function echoFlow(context: VpcContext, subnet: SubnetIntent): Flow {
  const gateway = formatIp(subnet.gateway);
  return vpcFlow(context, "route", ofVpc(context), {
    priority: PRIORITIES.exception.value,
    match: {
      icmp: true,
      nw_dst: gateway,
      icmp_type: ECHO_REQUEST,
      icmp_code: "0",
    },
    actions: [
      move("NXM_OF_ETH_SRC", "NXM_OF_ETH_DST"),
      setField("eth_src", context.router),
      move("NXM_OF_IP_SRC", "NXM_OF_IP_DST"),
      setField("ip_src", gateway),
      setField("icmp_type", ECHO_REPLY),
      setField("nw_ttl", REPLY_TTL),
      toIngressPort,
    ],
  });
}
