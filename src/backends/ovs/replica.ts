import {
  type CtZoneRow,
  type DatapathRow,
  readCtZone,
  readDatapath,
  readTimeoutPolicy,
  type TimeoutPolicyRow,
} from "./ct/rows.js";
import {
  type BridgeRow,
  COLUMNS,
  type InterfaceRow,
  type PortRow,
  readBridge,
  readInterface,
  readPort,
  readSystem,
  type SystemRow,
  type TableName,
  type Uuid,
} from "./rows.js";

type Columns = Readonly<Record<string, unknown>>;

/**
 * A copy of the watched tables, kept by the updates of an RFC 7047 monitor (section 4.1.6): `new`
 * holds every watched column of the row as it is now, and is absent when the row is gone.
 */
export class Replica {
  readonly bridges = new Map<Uuid, BridgeRow>();
  readonly ports = new Map<Uuid, PortRow>();
  readonly interfaces = new Map<Uuid, InterfaceRow>();
  readonly datapaths = new Map<Uuid, DatapathRow>();
  readonly ctZones = new Map<Uuid, CtZoneRow>();
  readonly timeoutPolicies = new Map<Uuid, TimeoutPolicyRow>();
  /** Whether the database has the tables of conntrack's zones. */
  knowsConntrackZones = true;
  #system: SystemRow | undefined;

  get system(): SystemRow | undefined {
    return this.#system;
  }

  /** @returns the tables that it touched */
  apply(update: unknown): Set<TableName> {
    const touched = new Set<TableName>();
    for (const [table, rows] of entries(update)) {
      if (!isWatched(table)) continue;
      touched.add(table);
      for (const [uuid, change] of entries(rows)) {
        this.#set(table, uuid, (change as { readonly new?: Columns }).new);
      }
    }
    return touched;
  }

  #set(table: TableName, uuid: Uuid, row: Columns | undefined): void {
    if (table === "Open_vSwitch") {
      this.#system = row === undefined ? undefined : readSystem(uuid, row);
    } else if (table === "Bridge") put(this.bridges, uuid, row, readBridge);
    else if (table === "Port") put(this.ports, uuid, row, readPort);
    else if (table === "Datapath") put(this.datapaths, uuid, row, readDatapath);
    else if (table === "CT_Zone") put(this.ctZones, uuid, row, readCtZone);
    else if (table === "CT_Timeout_Policy") put(this.timeoutPolicies, uuid, row, readTimeoutPolicy);
    else put(this.interfaces, uuid, row, readInterface);
  }
}

function put<R>(
  rows: Map<Uuid, R>,
  uuid: Uuid,
  row: Columns | undefined,
  read: (uuid: Uuid, row: Columns) => R,
): void {
  if (row === undefined) rows.delete(uuid);
  else rows.set(uuid, read(uuid, row));
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function isWatched(table: string): table is TableName {
  return table in COLUMNS;
}
