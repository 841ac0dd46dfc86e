import type { Flow } from "../openflow/flow.js";
import { REGISTERS } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

const SETS_ZONE = new RegExp(`set_field:(\\w+)->${REGISTERS.zone.field}(?:,|$)`);

/** The conntrack zone that a flow looks its receiver's connections up in; undefined for others. */
export function zoneOfReceiver({ table, actions }: Flow): number | undefined {
  if (table !== VPC_TABLES.ingressTrack.number) return undefined;
  const [, zone] = SETS_ZONE.exec(actions) ?? [];
  return zone === undefined ? undefined : Number(zone);
}
