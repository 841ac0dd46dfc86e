import { gotoTable, setRegister } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { type BoundInterface, ofInterface, ofVpc, type VpcContext, vpcFlow } from "./context.js";
import { PRIORITIES } from "./priorities.js";
import { REGISTERS } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

/** By where packets enter; what enters anywhere else, tagged or in fragments is dropped. */
export function classifyFlows(context: VpcContext): Flow[] {
  return [
    taggedFlow(context),
    ...(context.options.dropFragments ? [fragmentFlow(context)] : []),
    ...uplinkFlows(context),
  ];
}

/** `ip` also matches inside a VLAN tag: a tagged frame would be routed with its tag on. */
function taggedFlow(context: VpcContext): Flow {
  return refusal(context, { vlan_tci: "0x1000/0x1000" });
}

/** Fragments expired in the userspace conntrack join another packet's batch below 3.6. */
function fragmentFlow(context: VpcContext): Flow {
  return refusal(context, { ip: true, nw_frag: "yes" });
}

function refusal(context: VpcContext, match: Flow["match"]): Flow {
  const priority = PRIORITIES.exception.value;
  return vpcFlow(context, "classify", ofVpc(context), {
    priority,
    match,
    actions: [],
  });
}

function uplinkFlows(context: VpcContext): Flow[] {
  if (context.uplink === undefined) return [];
  const flow = vpcFlow(context, "classify", ofVpc(context), {
    priority: PRIORITIES.ordinary.value,
    match: { in_port: String(context.uplink) },
    actions: [gotoTable(VPC_TABLES.exchangeIngress.number)],
  });
  return [flow];
}

/** By where packets enter: from an interface. */
export function classifyInterfaceFlow(context: VpcContext, eni: BoundInterface): Flow {
  return vpcFlow(context, "classify", ofInterface(eni), {
    priority: PRIORITIES.ordinary.value,
    match: { in_port: String(eni.port) },
    actions: [
      setRegister(REGISTERS.interface.field, eni.number),
      setRegister(REGISTERS.routeTable.field, eni.routeTable),
      setRegister(REGISTERS.zone.field, eni.zones.called),
      gotoTable(VPC_TABLES.spoofGuard.number),
    ],
  });
}
