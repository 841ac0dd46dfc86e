/** OVSDB's JSON notation (RFC 7047, section 5.1) and the rows of the tables that we watch. */

import { CT_COLUMNS } from "./ct/columns.js";
import { readSettings, SETTING_COLUMNS, type Settings } from "./settings/columns.js";

export type Uuid = string;

export interface SystemRow {
  readonly uuid: Uuid;
  /** What ovs-vswitchd has carried out, and what it has been asked to. */
  readonly curCfg: number;
  readonly nextCfg: number;
  /** Rows of `Datapath` by the datapath's type. */
  readonly datapaths: ReadonlyMap<string, Uuid>;
  readonly otherConfig: ReadonlyMap<string, string>;
  readonly externalIds: ReadonlyMap<string, string>;
  readonly settings: Settings;
}

export interface BridgeRow {
  readonly uuid: Uuid;
  readonly name: string;
  readonly ports: readonly Uuid[];
  readonly failMode: string | undefined;
  readonly datapathType: string;
  readonly externalIds: ReadonlyMap<string, string>;
  readonly settings: Settings;
}

export interface PortRow {
  readonly uuid: Uuid;
  readonly name: string;
  readonly interfaces: readonly Uuid[];
  readonly externalIds: ReadonlyMap<string, string>;
  readonly settings: Settings;
}

export interface InterfaceRow {
  readonly uuid: Uuid;
  readonly name: string;
  readonly type: string;
  readonly options: ReadonlyMap<string, string>;
  /** Undefined until assigned; -1 when it could not be. */
  readonly ofport: number | undefined;
  readonly error: string | undefined;
  /** Of its network device, "up" or "down"; undefined when nothing is known of it. */
  readonly adminState: string | undefined;
  /** Whether its device has a carrier, "up" or "down"; undefined when nothing is known of it. */
  readonly linkState: string | undefined;
  /** Of its network device; 0 or undefined when the switch sees none. */
  readonly ifindex: number | undefined;
  /** Of its network device, whoever has set it. */
  readonly mtu: number | undefined;
  readonly externalIds: ReadonlyMap<string, string>;
  readonly settings: Settings;
}

/** The monitored columns of each table, as `monitor` names them. */
export const COLUMNS = {
  Open_vSwitch: [
    "cur_cfg",
    "next_cfg",
    "datapaths",
    "external_ids",
    ...SETTING_COLUMNS.Open_vSwitch,
  ],
  Bridge: [
    "name",
    "ports",
    "fail_mode",
    "datapath_type",
    "external_ids",
    ...SETTING_COLUMNS.Bridge,
  ],
  Port: ["name", "interfaces", "external_ids", ...SETTING_COLUMNS.Port],
  Interface: [
    "name",
    "type",
    "options",
    "ofport",
    "error",
    "admin_state",
    "link_state",
    "ifindex",
    "mtu",
    "external_ids",
    ...SETTING_COLUMNS.Interface,
  ],
  ...CT_COLUMNS,
} as const;

export type TableName = keyof typeof COLUMNS;

type Columns = Readonly<Record<string, unknown>>;

export function readSystem(uuid: Uuid, row: Columns): SystemRow {
  const { cur_cfg, next_cfg, other_config, external_ids } = row;
  return {
    uuid,
    curCfg: number(cur_cfg) ?? 0,
    nextCfg: number(next_cfg) ?? 0,
    datapaths: uuidsByKey(row["datapaths"]),
    otherConfig: map(other_config),
    externalIds: map(external_ids),
    settings: readSettings("Open_vSwitch", row),
  };
}

export function readBridge(uuid: Uuid, row: Columns): BridgeRow {
  return {
    uuid,
    name: string(row["name"]) ?? "",
    ports: uuids(row["ports"]),
    failMode: string(row["fail_mode"]),
    datapathType: string(row["datapath_type"]) ?? "",
    externalIds: map(row["external_ids"]),
    settings: readSettings("Bridge", row),
  };
}

export function readPort(uuid: Uuid, row: Columns): PortRow {
  return {
    uuid,
    name: string(row["name"]) ?? "",
    interfaces: uuids(row["interfaces"]),
    externalIds: map(row["external_ids"]),
    settings: readSettings("Port", row),
  };
}

export function readInterface(uuid: Uuid, row: Columns): InterfaceRow {
  return {
    uuid,
    name: string(row["name"]) ?? "",
    type: string(row["type"]) ?? "",
    options: map(row["options"]),
    ofport: number(row["ofport"]),
    error: string(row["error"]),
    adminState: string(row["admin_state"]),
    linkState: string(row["link_state"]),
    ifindex: number(row["ifindex"]),
    mtu: number(row["mtu"]),
    externalIds: map(row["external_ids"]),
    settings: readSettings("Interface", row),
  };
}

/** The members of a set; a single atom stands for a set of one. */
function members(value: unknown): unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value[0] === "set" && Array.isArray(value[1])) return value[1];
  return [value];
}

function string(value: unknown): string | undefined {
  const [first] = members(value);
  return typeof first === "string" ? first : undefined;
}

function number(value: unknown): number | undefined {
  const [first] = members(value);
  return typeof first === "number" ? first : undefined;
}

export function uuids(value: unknown): Uuid[] {
  return members(value).flatMap((member) =>
    Array.isArray(member) && member[0] === "uuid" ? [String(member[1])] : [],
  );
}

export function map(value: unknown): Map<string, string> {
  return new Map(pairs(value).map(([key, item]) => [String(key), String(item)]));
}

/** A map whose values are rows. */
export function uuidsByKey(value: unknown): Map<string, Uuid> {
  return new Map(
    pairs(value).flatMap(([key, item]) => uuids(item).map((uuid) => [String(key), uuid])),
  );
}

function pairs(value: unknown): [unknown, unknown][] {
  const isMap = Array.isArray(value) && value[0] === "map" && Array.isArray(value[1]);
  return isMap ? value[1] : [];
}

export function toUuid(uuid: Uuid): readonly ["uuid", Uuid] {
  return ["uuid", uuid];
}

export function toNamedUuid(name: string): readonly ["named-uuid", string] {
  return ["named-uuid", name];
}

export function toSet(members: readonly unknown[]): readonly ["set", readonly unknown[]] {
  return ["set", members];
}

export function toMap(entries: Iterable<readonly [string, string]>): readonly unknown[] {
  return ["map", [...entries]];
}
