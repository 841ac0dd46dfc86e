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
}

export interface BridgeSpec {
  readonly name: string;
  readonly failMode?: string;
  readonly datapathType?: string;
  readonly ids?: Readonly<Record<string, string>>;
  readonly ports: readonly PortSpec[];
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

function bridgeRow({ name, failMode, datapathType, ids, ports }: BridgeSpec) {
  return {
    name,
    ports: ["set", ports.map((port) => ["uuid", `p-${port.name}`])],
    fail_mode: failMode ?? ["set", []],
    datapath_type: datapathType ?? "",
    external_ids: map(ids),
  };
}

function portRow({ name, ids }: PortSpec) {
  return { name, interfaces: ["uuid", `i-${name}`], external_ids: map(ids) };
}

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
