import {
  type BridgeWork,
  type Infrastructure,
  keepsFlows,
  type WantedBridge,
  type WantedPort,
} from "./infrastructure.js";
import type { Operation } from "./ovsdb.js";
import { toMap, toNamedUuid, toSet, toUuid, type Uuid } from "./rows.js";
import type { BridgePort, BridgeView } from "./topology.js";

/** The operations that make and repair bridges and ports, for one transaction. */
export function creationOperations(work: readonly BridgeWork[]): Operation[] {
  return work.flatMap((item) => [
    ...item.missingPorts.flatMap(insertPort),
    ...item.wrongPorts.flatMap(({ wanted, existing }) => repairPort(wanted, existing)),
    ...(item.existing === undefined
      ? insertBridge(item.wanted)
      : repairBridge(item, item.existing)),
  ]);
}

/** The operations that remove what belongs to VPCs that do not exist. */
export function removalOperations(
  { goneBridges, gonePorts }: Infrastructure,
  exchange: Uuid | undefined,
): Operation[] {
  const operations: Operation[] = [];
  if (goneBridges.length > 0) {
    const uuids = toSet(goneBridges.map(({ row }) => toUuid(row.uuid)));
    operations.push(mutate("Open_vSwitch", [], ["bridges", "delete", uuids]));
  }
  if (gonePorts.length > 0 && exchange !== undefined) {
    const uuids = toSet(gonePorts.map(({ row }) => toUuid(row.uuid)));
    operations.push(mutate("Bridge", byUuid(exchange), ["ports", "delete", uuids]));
  }
  return operations;
}

/** Asks ovs-vswitchd to act, and tells which number `cur_cfg` has once it has done so. */
export function requestOperations(): [Operation, Operation] {
  const select = { op: "select", table: "Open_vSwitch", where: [], columns: ["next_cfg"] };
  return [mutate("Open_vSwitch", [], ["next_cfg", "+=", 1]), select];
}

function insertPort(port: WantedPort): Operation[] {
  const { name, type } = port;
  const ids = toMap(port.externalIds);
  const plugged = { name, type, options: toMap(port.options), external_ids: ids };
  const row = { name, interfaces: toNamedUuid(interfaceHandle(name)), external_ids: ids };
  return [
    { op: "insert", table: "Interface", "uuid-name": interfaceHandle(name), row: plugged },
    { op: "insert", table: "Port", "uuid-name": portHandle(name), row },
  ];
}

function insertBridge(bridge: WantedBridge): Operation[] {
  const row = {
    name: bridge.name,
    // Set from the first moment: without it a bridge without flows forwards everything.
    fail_mode: "secure",
    datapath_type: bridge.datapathType,
    external_ids: toMap(bridge.externalIds),
    ports: toSet(bridge.ports.map(({ name }) => toNamedUuid(portHandle(name)))),
  };
  const handle = `bridge_${bridge.name}`;
  return [
    { op: "insert", table: "Bridge", "uuid-name": handle, row },
    mutate("Open_vSwitch", [], ["bridges", "insert", toSet([toNamedUuid(handle)])]),
  ];
}

function repairBridge(
  { wanted, missingPorts, wrongSettings }: BridgeWork,
  { row }: BridgeView,
): Operation[] {
  const operations: Operation[] = [];
  if (wrongSettings) {
    const settings = keepsFlows(wanted, row)
      ? {}
      : { fail_mode: "secure", datapath_type: wanted.datapathType };
    const ids = toMap(new Map([...row.externalIds, ...wanted.externalIds]));
    operations.push(update("Bridge", row.uuid, { ...settings, external_ids: ids }));
  }
  if (missingPorts.length > 0) {
    const handles = toSet(missingPorts.map(({ name }) => toNamedUuid(portHandle(name))));
    operations.push(mutate("Bridge", byUuid(row.uuid), ["ports", "insert", handles]));
  }
  return operations;
}

function repairPort(wanted: WantedPort, { row, interfaces }: BridgePort): Operation[] {
  const [only] = interfaces;
  const portIds = toMap(new Map([...row.externalIds, ...wanted.externalIds]));
  const alone = only !== undefined && interfaces.length > 1 && { interfaces: toUuid(only.uuid) };
  const operations = [update("Port", row.uuid, { external_ids: portIds, ...alone })];
  if (only !== undefined) {
    const { type } = wanted;
    const external_ids = toMap(new Map([...only.externalIds, ...wanted.externalIds]));
    const options = toMap(wanted.options);
    operations.push(update("Interface", only.uuid, { type, options, external_ids }));
  }
  return operations;
}

function mutate(table: string, where: readonly unknown[], mutation: readonly unknown[]): Operation {
  return { op: "mutate", table, where, mutations: [mutation] };
}

function update(table: string, uuid: Uuid, row: Readonly<Record<string, unknown>>): Operation {
  return { op: "update", table, where: byUuid(uuid), row };
}

function byUuid(uuid: Uuid): readonly unknown[] {
  return [["_uuid", "==", toUuid(uuid)]];
}

function portHandle(name: string): string {
  return `port_${name}`;
}

function interfaceHandle(name: string): string {
  return `interface_${name}`;
}
