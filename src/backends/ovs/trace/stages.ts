import type { Stage } from "../../../domain/reachability/trace.js";
import { VPC_TABLES } from "../../../pipeline/tables.js";

/** The station that each table is part of; null for tables that are only looked into, or count. */
const STAGE_OF: Readonly<Record<keyof typeof VPC_TABLES, Stage | null>> = {
  classify: "entry",
  spoofGuard: "spoofGuard",
  arp: null,
  route: "route",
  egressTrack: "egressPolicy",
  egressState: "egressPolicy",
  egressOther: "egressPolicy",
  egressVerdict: "egressPolicy",
  egressRoom: "egressPolicy",
  peering: "peering",
  exchangeIngress: "fromPeer",
  ingressSubnet: "receiver",
  returnRoute: "returnRoute",
  ingressTrack: "receiver",
  ingressState: "ingressPolicy",
  ingressOther: "ingressPolicy",
  ingressVerdict: "ingressPolicy",
  ingressRoom: "ingressPolicy",
  ingressAdmission: "delivery",
  deliver: "delivery",
  continuity: null,
  memberships: null,
  rules: null,
  drops: null,
};

const BY_NUMBER = new Map(
  Object.values(VPC_TABLES).map(({ name, number }) => [
    number,
    STAGE_OF[name as keyof typeof VPC_TABLES],
  ]),
);

/** The stations of a VPC's bridge that a packet comes through, by its tables. */
export function stagesOf(tables: readonly number[]): Stage[] {
  const stages = tables.flatMap((number) => BY_NUMBER.get(number) ?? []);
  return stages.filter((stage, index) => stage !== stages[index - 1]);
}
