import type { Flow } from "../openflow/flow.js";
import { REGISTERS } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

const SETS_ZONE = new RegExp(`set_field:(\\w+)->${REGISTERS.zone.field}(?:,|$)`);

/** The conntrack zones that a flow names of its receiver; none for other flows. */
export function zonesOfFlow({ table, actions }: Flow): number[] {
  if (table !== VPC_TABLES.ingressTrack.number) return [];
  const [, zone] = SETS_ZONE.exec(actions) ?? [];
  return zone === undefined ? [] : [Number(zone)];
}
