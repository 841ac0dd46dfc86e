/** The columns by which another tool can change what the switch does with packets. */

/**
 * What is set in a row, by `column`, or `column:key` for a map, as ovs-vsctl would take it. What is
 * at its default, which is the state in which rows are made, is left out.
 */
export type Settings = ReadonlyMap<string, string>;

/** See ovs-vswitchd.conf.db(5). An older database may lack some: nobody can set those. */
export const SETTING_COLUMNS = {
  Open_vSwitch: ["other_config"],
  Bridge: [
    "protocols",
    "controller",
    "stp_enable",
    "rstp_enable",
    "mcast_snooping_enable",
    "flood_vlans",
    "flow_tables",
    "mirrors",
    "netflow",
    "sflow",
    "ipfix",
    "auto_attach",
    "other_config",
  ],
  Port: [
    "tag",
    "trunks",
    "vlan_mode",
    "cvlans",
    "protected",
    "qos",
    "bond_mode",
    "lacp",
    "mac",
    "other_config",
  ],
  Interface: [
    "ingress_policing_rate",
    "ingress_policing_burst",
    "ingress_policing_kpkts_rate",
    "ingress_policing_kpkts_burst",
    "mtu_request",
    "ofport_request",
    "bfd",
    "cfm_mpid",
    "lldp",
    "other_config",
  ],
} as const;

export type SettingTable = keyof typeof SETTING_COLUMNS;

const NONE: Settings = new Map();

export function readSettings(
  table: SettingTable,
  row: Readonly<Record<string, unknown>>,
): Settings {
  const found = SETTING_COLUMNS[table].flatMap((column) => [...entriesOf(column, row[column])]);
  return found.length === 0 ? NONE : new Map(found);
}

function* entriesOf(column: string, value: unknown): Iterable<[string, string]> {
  if (isTagged("map", value)) {
    for (const [key, item] of value[1]) yield [`${column}:${atom(key)}`, atom(item)];
    return;
  }
  const members = isTagged("set", value) ? value[1] : [value];
  const texts = members.flatMap((member) => (isDefault(column, member) ? [] : atom(member)));
  if (texts.length > 0) yield [column, texts.sort().join(",")];
}

/** Zero is a VLAN; only where it is a rate it stands for none. */
function isDefault(column: string, value: unknown): boolean {
  if (value === 0) return column.startsWith("ingress_policing");
  return value === undefined || value === false || value === "";
}

function isTagged<T extends "set" | "map">(
  tag: T,
  value: unknown,
): value is readonly [T, T extends "map" ? readonly [unknown, unknown][] : readonly unknown[]] {
  return Array.isArray(value) && value[0] === tag && Array.isArray(value[1]);
}

function atom(value: unknown): string {
  return Array.isArray(value) && value[0] === "uuid" ? String(value[1]) : String(value);
}

export function isSame(left: Settings, right: Settings): boolean {
  return left.size === right.size && [...left].every(([name, value]) => right.get(name) === value);
}
