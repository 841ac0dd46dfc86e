import type { Flow } from "../openflow/flow.js";
import { ofVpc, type VpcContext, vpcFlow } from "./context.js";
import { dropFor } from "./drops.js";
import { PRIORITIES } from "./priorities.js";
import { VPC_TABLES } from "./tables.js";

type TableName = keyof typeof VPC_TABLES;

/** One flow a table for what nothing else matched: without it the switch drops but counts nothing. */
export function tableMissFlows(context: VpcContext): Flow[] {
  return (Object.keys(VPC_TABLES) as TableName[]).map((name) =>
    vpcFlow(context, name, ofVpc(context), {
      priority: PRIORITIES.tableMiss.value,
      match: {},
      actions: actionsOnMiss(name),
    }),
  );
}

function actionsOnMiss(table: TableName) {
  if (table === "route") return dropFor("noRoute");
  if (table === "peering") return dropFor("notAdmitted");
  return [];
}
