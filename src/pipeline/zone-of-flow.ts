import type { Flow } from "../openflow/flow.js";
import { REGISTERS } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

const SETS_ZONES = new RegExp(`set_field:(\\w+)->${REGISTERS.zone.field}(?:,|$)`);

/** The conntrack zones that a flow looks its receiver's connections up in; none for others. */
export function zonesOfFlow({ table, actions }: Flow): number[] {
  if (table !== VPC_TABLES.ingressTrack.number) return [];
  const [, text] = SETS_ZONES.exec(actions) ?? [];
  if (text === undefined) return [];
  const zones = Number(text);
  return [zones % 2 ** 16, Math.floor(zones / 2 ** 16)];
}
