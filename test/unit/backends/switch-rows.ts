import { Replica } from "../../../src/backends/ovs/replica.js";
import { type InterfaceRow, readInterface } from "../../../src/backends/ovs/rows.js";

export interface PortSpec {
  readonly name: string;
  readonly type?: string;
  readonly ofport?: number;
  readonly error?: string;
  readonly peer?: string;
  readonly adminState?: string;
  readonly linkState?: string;
  readonly ifindex?: number;
  readonly ids?: Readonly<Record<string, string>>;
  /** Columns of the port and of the interface, as OVSDB has them. */
  readonly port?: Readonly<Record<string, unknown>>;
  readonly interface?: Readonly<Record<string, unknown>>;
}

export interface BridgeSpec {
  readonly name: string;
  readonly failMode?: string;
  readonly datapathType?: string;
  readonly ids?: Readonly<Record<string, string>>;
  readonly ports: readonly PortSpec[];
  /** Columns that are not as bridges are made. */
  readonly columns?: Readonly<Record<string, unknown>>;
}

/** A replica as ovsdb-server would fill it; identifiers are made from names. */
export function replicaOf(bridges: readonly BridgeSpec[]): Replica {
  const replica = new Replica();
  replica.apply({
    Bridge: Object.fromEntries(
      bridges.map((bridge) => [`b-${bridge.name}`, { new: bridgeRow(bridge) }]),
    ),
    Port: Object.fromEntries(
      bridges.flatMap(({ ports }) =>
        ports.map((port) => [`p-${port.name}`, { new: portRow(port) }]),
      ),
    ),
    Interface: Object.fromEntries(
      bridges.flatMap(({ ports }) =>
        ports.map((port) => [`i-${port.name}`, { new: interfaceRow(port) }]),
      ),
    ),
  });
  return replica;
}

/** The row of one OVS interface, as the replica reads it. */
export function interfaceOf(port: PortSpec): InterfaceRow {
  return readInterface(`i-${port.name}`, interfaceRow(port));
}

function bridgeRow({ name, failMode, datapathType, ids, ports, columns }: BridgeSpec) {
  return {
    name,
    ports: ["set", ports.map((port) => ["uuid", `p-${port.name}`])],
    fail_mode: failMode ?? ["set", []],
    datapath_type: datapathType ?? "",
    other_config: map({ "disable-in-band": "true" }),
    external_ids: map(ids),
    ...columns,
  };
}

function portRow({ name, ids, port }: PortSpec) {
  const interfaces = ["uuid", `i-${name}`];
  return { name, interfaces, external_ids: map(ids), ...madeWith(name, ids), ...port };
}

/** Either end of the patch to the exchange shuts out what the other lets pass. */
function madeWith(name: string, ids: PortSpec["ids"] = {}) {
  if (ids["patchbay-role"] !== "uplink") return {};
  return { trunks: name.startsWith("q", LETTER) ? 4095 : 4094 };
}

/** Where names say what they are of, after `pb` and six digits. */
const LETTER = 8;

function interfaceRow(spec: PortSpec) {
  const { name, type, ofport, error, peer, adminState, linkState, ifindex, ids } = spec;
  return {
    name,
    type: type ?? "",
    options: map(peer === undefined ? {} : { peer }),
    ofport: ofport ?? ["set", []],
    error: error ?? ["set", []],
    admin_state: adminState ?? ["set", []],
    link_state: linkState ?? ["set", []],
    ifindex: ifindex ?? ["set", []],
    external_ids: map(ids),
    ...spec.interface,
  };
}

function map(entries: Readonly<Record<string, string>> = {}) {
  return ["map", Object.entries(entries)];
}

/** The `external_ids` that keep an interface's conntrack zones. */
export function zoneMarks(called: string | undefined, caller: string | undefined) {
  return {
    ...(called === undefined ? {} : { "patchbay-ct-zone": called }),
    ...(caller === undefined ? {} : { "patchbay-ct-zone-caller": caller }),
  };
}
