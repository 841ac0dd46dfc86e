import type { Flow } from "../openflow/flow.js";
import { ofVpc, type VpcContext, vpcFlow } from "./context.js";
import { PRIORITIES } from "./priorities.js";
import { VPC_TABLES } from "./tables.js";

/** One dropping flow a table: without it the switch drops too, but counts nothing. */
export function tableMissFlows(context: VpcContext): Flow[] {
  const names = Object.keys(VPC_TABLES) as (keyof typeof VPC_TABLES)[];
  const spec = { priority: PRIORITIES.tableMiss.value, match: {}, actions: [] };
  return names.map((name) => vpcFlow(context, name, ofVpc(context), spec));
}
