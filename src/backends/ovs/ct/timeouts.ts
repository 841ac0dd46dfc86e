import { INSTALLATION } from "../external-ids.js";
import type { Operation } from "../ovsdb.js";
import type { Replica } from "../replica.js";
import { toNamedUuid, toSet, toUuid } from "../rows.js";
import type { DatapathRow } from "./rows.js";

/** How long the switch remembers connections on which nothing comes any more, in seconds. */
export interface ConnectionTimeouts {
  readonly tcpEstablished: number;
  /** UDP that has been answered. */
  readonly udpStream: number;
  /** UDP that has not been answered. */
  readonly udpSingle: number;
}

export interface TimeoutOptions {
  readonly datapath: "system" | "netdev";
  readonly installationId: string;
  readonly timeouts: ConnectionTimeouts;
}

/**
 * The time-outs as the database has them: one policy and one `CT_Zone` row, of which all zones of an
 * installation are. Rows that nothing refers to any more the database removes by itself.
 */
export interface TimeoutView {
  readonly datapath: DatapathRow | undefined;
  /** Our own row of `CT_Zone`. */
  readonly zoneRow: string | undefined;
  /** Our own policy, as far as our row of `CT_Zone` has one. */
  readonly policy: string | undefined;
  /** By kind, as they are set. */
  readonly timeouts: ReadonlyMap<string, string>;
}

/** The kernel knows no difference between the first datagram and more that nobody answers. */
export function wantedTimeouts(timeouts: ConnectionTimeouts): ReadonlyMap<string, string> {
  return new Map([
    ["tcp_established", String(timeouts.tcpEstablished)],
    ["udp_first", String(timeouts.udpSingle)],
    ["udp_single", String(timeouts.udpSingle)],
    ["udp_multiple", String(timeouts.udpStream)],
  ]);
}

export function viewTimeouts(replica: Replica, options: TimeoutOptions): TimeoutView {
  const { datapath: type, installationId } = options;
  const uuid = replica.system?.datapaths.get(type);
  const datapath = uuid === undefined ? undefined : replica.datapaths.get(uuid);
  const own = [...replica.ctZones.values()].filter(
    ({ externalIds }) => externalIds.get(INSTALLATION) === installationId,
  );
  const [row] = own.sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
  const policy =
    row?.timeoutPolicy === undefined ? undefined : replica.timeoutPolicies.get(row.timeoutPolicy);
  const isOwn = policy?.externalIds.get(INSTALLATION) === installationId;
  return {
    datapath,
    zoneRow: row?.uuid,
    policy: isOwn ? policy?.uuid : undefined,
    timeouts: isOwn ? policy.timeouts : new Map(),
  };
}

/** Zones that do not have our time-outs. */
export function zonesAstray({ datapath, zoneRow }: TimeoutView, zones: readonly number[]) {
  return zones.filter((zone) => zoneRow === undefined || datapath?.zones.get(zone) !== zoneRow);
}

/** Zones of others: somebody has given them time-outs. */
export function zonesOfOthers(view: TimeoutView): number[] {
  const entries = [...(view.datapath?.zones ?? [])];
  return entries.flatMap(([zone, row]) => (row === view.zoneRow ? [] : [zone]));
}

/**
 * The operations that give these zones the time-outs that are wanted, and take them from those of
 * ours that are no more; none when nothing has to be done for these.
 * @param zones all of this installation's
 */
export function timeoutOperations(
  view: TimeoutView,
  zones: readonly number[],
  options: TimeoutOptions,
): Operation[] {
  const astray = zonesAstray(view, zones);
  const policy = policyOperations(view, options);
  if (zones.length === 0 || (astray.length === 0 && policy.length === 0)) return [];
  const row = view.zoneRow === undefined ? toNamedUuid(ZONE_ROW) : toUuid(view.zoneRow);
  return [
    ...policy,
    ...zoneRowOperations(view, options),
    ...entryOperations(view, zones, row, options),
  ];
}

const POLICY = "patchbay_policy";
const ZONE_ROW = "patchbay_zone";
const DATAPATH = "patchbay_datapath";

type Reference = ReturnType<typeof toUuid> | ReturnType<typeof toNamedUuid>;

function policyOperations(view: TimeoutView, options: TimeoutOptions): Operation[] {
  const wanted = wantedTimeouts(options.timeouts);
  const timeouts = ["map", [...wanted].map(([kind, seconds]) => [kind, Number(seconds)])];
  const { policy } = view;
  if (policy === undefined) {
    const row = { timeouts, external_ids: mark(options) };
    return [{ op: "insert", table: "CT_Timeout_Policy", "uuid-name": POLICY, row }];
  }
  if (isSame(view.timeouts, wanted)) return [];
  return [update("CT_Timeout_Policy", policy, { timeouts })];
}

function zoneRowOperations(view: TimeoutView, options: TimeoutOptions): Operation[] {
  const { policy, zoneRow } = view;
  const timeout_policy = policy === undefined ? toNamedUuid(POLICY) : toUuid(policy);
  if (zoneRow === undefined) {
    const row = { timeout_policy, external_ids: mark(options) };
    return [{ op: "insert", table: "CT_Zone", "uuid-name": ZONE_ROW, row }];
  }
  return policy === undefined ? [update("CT_Zone", zoneRow, { timeout_policy })] : [];
}

function entryOperations(
  view: TimeoutView,
  zones: readonly number[],
  row: Reference,
  { datapath: type }: TimeoutOptions,
): Operation[] {
  const { datapath } = view;
  const entries = (some: readonly number[]) => ["map", some.map((zone) => [zone, row])];
  if (datapath === undefined) {
    const made = { ct_zones: entries(zones) };
    const reference = ["map", [[type, toNamedUuid(DATAPATH)]]];
    return [
      { op: "insert", table: "Datapath", "uuid-name": DATAPATH, row: made },
      mutate("Open_vSwitch", [], [["datapaths", "insert", reference]]),
    ];
  }
  const inUse = new Set(zones);
  const astray = zonesAstray(view, zones);
  const stale = [...datapath.zones].flatMap(([zone, entry]) =>
    entry === view.zoneRow && !inUse.has(zone) ? [zone] : [],
  );
  // A key that is there already keeps its value: it is taken away first.
  const taken = toSet([...astray, ...stale]);
  const mutations = [
    ["ct_zones", "delete", taken],
    ["ct_zones", "insert", entries(astray)],
  ];
  return [mutate("Datapath", [["_uuid", "==", toUuid(datapath.uuid)]], mutations)];
}

function mark({ installationId }: TimeoutOptions): readonly unknown[] {
  return ["map", [[INSTALLATION, installationId]]];
}

function update(table: string, uuid: string, row: Readonly<Record<string, unknown>>): Operation {
  return { op: "update", table, where: [["_uuid", "==", toUuid(uuid)]], row };
}

function mutate(
  table: string,
  where: readonly unknown[],
  mutations: readonly unknown[],
): Operation {
  return { op: "mutate", table, where, mutations };
}

export function isSame(
  left: ReadonlyMap<string, string>,
  right: ReadonlyMap<string, string>,
): boolean {
  return left.size === right.size && [...left].every(([key, value]) => right.get(key) === value);
}
