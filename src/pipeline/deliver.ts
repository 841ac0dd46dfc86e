import { type Cidr, hostBlock } from "../domain/cidr.js";
import type { AddressPairIntent } from "../domain/intent.js";
import { ownIps } from "../domain/interface-addresses.js";
import { output, setField } from "../openflow/action.js";
import type { Flow, Match } from "../openflow/flow.js";
import { type BoundInterface, ofInterface, type VpcContext, vpcFlow } from "./context.js";
import { blockMatch } from "./match-fields.js";
import { PRIORITIES, pairPriority } from "./priorities.js";
import { REGISTERS, registerMatch } from "./registers.js";

export function deliverFlows(context: VpcContext, eni: BoundInterface): Flow[] {
  const { ordinary } = PRIORITIES;
  return [
    ...ownIps(eni).map((ip) => deliverFlow(context, eni, ordinary.value, hostBlock(ip))),
    ...eni.addressPairs.map((pair) => pairFlow(context, eni, pair)),
  ];
}

/** Others may have the same pair: the interface whose turn it is. */
function pairFlow(context: VpcContext, eni: BoundInterface, { block, mac }: AddressPairIntent) {
  const turn = registerMatch(REGISTERS.interface, eni.number);
  return deliverFlow(context, { ...eni, mac }, pairPriority(block.prefix), block, turn);
}

function deliverFlow(
  context: VpcContext,
  eni: BoundInterface,
  priority: number,
  destination: Cidr,
  turn: Match = {},
): Flow {
  return vpcFlow(context, "deliver", ofInterface(eni), {
    priority,
    match: { ip: true, ...turn, ...blockMatch("nw_dst", destination) },
    actions: [setField("eth_src", context.router), setField("eth_dst", eni.mac), output(eni.port)],
  });
}
