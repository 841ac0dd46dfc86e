import type { SettingDrift } from "../../../domain/data-plane.js";
import { IFACE_ID } from "../external-ids.js";
import { byUuid, mutate, update } from "../operations.js";
import type { Operation } from "../ovsdb.js";
import { toMap, toSet, type Uuid } from "../rows.js";
import type { BridgePort, BridgeView } from "../topology.js";
import type { Settings, SettingTable } from "./columns.js";
import { bridgeAsMade, portAsMade } from "./made.js";
import { careFor, type Owner } from "./rules.js";

export const UNSET = "unset";

/** A setting that is put right, and how. */
export interface Correction {
  readonly drift: SettingDrift;
  readonly operation: Operation;
}

/** What the settings of a bridge and all its ports are otherwise than we make them. */
export interface SettingComparison {
  readonly corrections: readonly Correction[];
  readonly reported: readonly SettingDrift[];
}

interface Row {
  readonly table: SettingTable;
  readonly uuid: Uuid;
  readonly object: string;
  readonly owner: Owner;
  readonly settings: Settings;
  /** What it is made with beside the defaults. */
  readonly made: Settings;
}

/** @param view a bridge of this installation */
export function compareSettings(view: BridgeView, isExchange: boolean): SettingComparison {
  const { row, ports } = view;
  const bridge: Row = {
    table: "Bridge",
    uuid: row.uuid,
    object: `bridge ${row.name}`,
    owner: "ours",
    settings: row.settings,
    made: bridgeAsMade(),
  };
  const corrections: Correction[] = [];
  const reported: SettingDrift[] = [];
  for (const each of [bridge, ...ports.flatMap((port) => rowsOf(port, isExchange))]) {
    compareRow(each, corrections, reported);
  }
  for (const port of ports) reported.push(...severalInterfaces(port));
  return { corrections, reported };
}

/** Of the host as a whole: only ever reported. */
export function systemDrift(settings: Settings): SettingDrift[] {
  const reported: SettingDrift[] = [];
  const host = { table: "Open_vSwitch", uuid: "", object: "host", owner: "other" } as const;
  compareRow({ ...host, settings, made: DEFAULTS }, [], reported);
  return reported;
}

const DEFAULTS: Settings = new Map();

function rowsOf(port: BridgePort, isOnExchange: boolean): Row[] {
  const owner = ownerOf(port);
  const { uuid, name, settings } = port.row;
  const interfaces = port.interfaces.map((each): Row => {
    const object = `interface ${each.name}`;
    const { uuid, settings } = each;
    return { table: "Interface", uuid, object, owner, settings, made: DEFAULTS };
  });
  const made = portAsMade(port, isOnExchange);
  return [{ table: "Port", uuid, object: `port ${name}`, owner, settings, made }, ...interfaces];
}

function ownerOf({ own, interfaces }: BridgePort): Owner {
  if (own) return "ours";
  return interfaces.some(({ externalIds }) => externalIds.has(IFACE_ID)) ? "plugged" : "other";
}

function compareRow(row: Row, corrections: Correction[], reported: SettingDrift[]): void {
  const { table, object, owner, settings, made } = row;
  for (const [setting, wanted] of made) {
    const found = settings.get(setting) ?? UNSET;
    if (found === wanted) continue;
    const operation = set(row, setting, wanted);
    corrections.push({ drift: { object, setting, found, wanted }, operation });
  }
  for (const [setting, found] of settings) {
    const care = made.has(setting) ? "ignored" : careFor(table, setting, owner);
    if (care === "reported") reported.push({ object, setting, found, wanted: null });
    if (care !== "restored") continue;
    const wanted = found === "true" && !setting.includes(":") ? "false" : UNSET;
    const operation = clear(row, setting, wanted);
    corrections.push({ drift: { object, setting, found, wanted }, operation });
  }
}

function set({ table, uuid }: Row, setting: string, wanted: string): Operation {
  const [column, key] = partsOf(setting);
  if (key === undefined) return update(table, uuid, { [column]: Number(wanted) });
  const renewed = ["insert", toMap([[key, wanted]])];
  return mutate(table, byUuid(uuid), [column, "delete", toSet([key])], [column, ...renewed]);
}

function clear({ table, uuid }: Row, setting: string, wanted: string): Operation {
  const [column, key] = partsOf(setting);
  if (key !== undefined) return mutate(table, byUuid(uuid), [column, "delete", toSet([key])]);
  if (wanted === "false") return update(table, uuid, { [column]: false });
  return update(table, uuid, { [column]: column.startsWith("ingress_policing") ? 0 : toSet([]) });
}

function partsOf(setting: string): [column: string, key: string | undefined] {
  const [column = "", key] = setting.split(/:(.*)/s);
  return [column, key];
}

/** Of our own, the one that belongs there is put right with the port. */
function severalInterfaces(port: BridgePort): SettingDrift[] {
  if (port.own || port.interfaces.length < 2) return [];
  const found = port.interfaces
    .map(({ name }) => name)
    .sort()
    .join(",");
  return [{ object: `port ${port.row.name}`, setting: "interfaces", found, wanted: null }];
}
