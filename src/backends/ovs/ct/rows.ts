import { map, type Uuid, uuids, uuidsByKey } from "../rows.js";

/** What holds for all bridges of one datapath type. */
export interface DatapathRow {
  readonly uuid: Uuid;
  /** Rows of `CT_Zone`, by zone; many zones may share one. */
  readonly zones: ReadonlyMap<number, Uuid>;
  /** What ovs-vswitchd has found out that the datapath can do. */
  readonly capabilities: ReadonlyMap<string, string>;
}

export interface CtZoneRow {
  readonly uuid: Uuid;
  readonly timeoutPolicy: Uuid | undefined;
  readonly externalIds: ReadonlyMap<string, string>;
}

export interface TimeoutPolicyRow {
  readonly uuid: Uuid;
  /** Seconds, by kind: `udp_first`, `tcp_established`, … */
  readonly timeouts: ReadonlyMap<string, string>;
  readonly externalIds: ReadonlyMap<string, string>;
}

type Columns = Readonly<Record<string, unknown>>;

export function readDatapath(uuid: Uuid, row: Columns): DatapathRow {
  const zones = [...uuidsByKey(row["ct_zones"])].map(([key, zone]) => [Number(key), zone] as const);
  return { uuid, zones: new Map(zones), capabilities: map(row["capabilities"]) };
}

export function readCtZone(uuid: Uuid, row: Columns): CtZoneRow {
  const [timeoutPolicy] = uuids(row["timeout_policy"]);
  return { uuid, timeoutPolicy, externalIds: map(row["external_ids"]) };
}

export function readTimeoutPolicy(uuid: Uuid, row: Columns): TimeoutPolicyRow {
  return { uuid, timeouts: map(row["timeouts"]), externalIds: map(row["external_ids"]) };
}
