import { DROP_MEANINGS, type DropReason } from "../domain/drops.js";
import { type Action, gotoTable, setRegister } from "../openflow/action.js";
import type { Flow } from "../openflow/flow.js";
import { type BoundInterface, ofInterface, type VpcContext, vpcFlow } from "./context.js";
import { PRIORITIES } from "./priorities.js";
import { REGISTERS, registerMatch } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

export type { DropReason } from "../domain/drops.js";

/** What the register holds for each reason. */
export const DROP_REASONS = {
  spoofed: { value: 1, meaning: DROP_MEANINGS.spoofed },
  noRoute: { value: 2, meaning: DROP_MEANINGS.noRoute },
  blackhole: { value: 3, meaning: DROP_MEANINGS.blackhole },
  egressPolicy: { value: 4, meaning: DROP_MEANINGS.egressPolicy },
  notAdmitted: { value: 5, meaning: DROP_MEANINGS.notAdmitted },
  ingressPolicy: { value: 6, meaning: DROP_MEANINGS.ingressPolicy },
  connectionLimit: { value: 7, meaning: DROP_MEANINGS.connectionLimit },
} as const satisfies Record<DropReason, { value: number; meaning: string }>;

/** Sends a packet to be counted and dropped. */
export function dropFor(reason: DropReason): Action[] {
  return [
    setRegister(REGISTERS.dropReason.field, DROP_REASONS[reason].value),
    gotoTable(VPC_TABLES.drops.number),
  ];
}

/** One flow for each reason: its packet count is the counter. */
export function dropFlows(context: VpcContext, eni: BoundInterface): Flow[] {
  const reasons = Object.keys(DROP_REASONS) as DropReason[];
  return reasons.map((reason) => dropFlow(context, eni, reason));
}

function dropFlow(context: VpcContext, eni: BoundInterface, reason: DropReason): Flow {
  return vpcFlow(context, "drops", ofInterface(eni), {
    priority: PRIORITIES.ordinary.value,
    match: {
      ...registerMatch(REGISTERS.interface, eni.number),
      ...registerMatch(REGISTERS.dropReason, DROP_REASONS[reason].value),
    },
    actions: [],
  });
}

/** The interface and reason that a flow of the table counts; undefined for any other flow. */
export function countedDrop(flow: Flow): { interface: number; reason: DropReason } | undefined {
  if (flow.table !== VPC_TABLES.drops.number) return undefined;
  const of = (field: string) => Number(flow.match[field] ?? Number.NaN);
  const number = of(REGISTERS.interface.field);
  const value = of(REGISTERS.dropReason.field);
  const known = Object.entries(DROP_REASONS).find(([, reason]) => reason.value === value);
  if (known === undefined || Number.isNaN(number)) return undefined;
  return { interface: number, reason: known[0] as DropReason };
}
