import { type BridgeWork, type Infrastructure, keepsFlows } from "./infrastructure.js";
import { byUuid, mutate, update } from "./operations.js";
import type { Operation } from "./ovsdb.js";
import { toMap, toNamedUuid, toSet, toUuid, type Uuid } from "./rows.js";
import { IN_BAND_OFF } from "./settings/made.js";
import type { BridgePort, BridgeView } from "./topology.js";
import type { WantedBridge, WantedPort } from "./wanted.js";

/** The operations that make and repair bridges and ports, for one transaction. */
export function creationOperations(work: readonly BridgeWork[]): Operation[] {
  return work.flatMap((item) => [
    ...item.misplaced.map(({ port, bridge }) =>
      mutate("Bridge", byUuid(bridge), ["ports", "delete", toSet([toUuid(port)])]),
    ),
    ...item.missingPorts.flatMap(insertPort),
    ...item.wrongPorts.flatMap(({ wanted, existing }) => repairPort(wanted, existing)),
    ...item.corrections.map(({ operation }) => operation),
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
  const { name, trunk } = port;
  const ids = toMap(port.externalIds);
  const trunks = trunk === undefined ? {} : { trunks: trunk };
  const row = {
    name,
    interfaces: toNamedUuid(interfaceHandle(name)),
    external_ids: ids,
    ...trunks,
  };
  return [
    insertInterface(port),
    { op: "insert", table: "Port", "uuid-name": portHandle(name), row },
  ];
}

function insertBridge(bridge: WantedBridge): Operation[] {
  const row = {
    name: bridge.name,
    // Set from the first moment: without it a bridge without flows forwards everything.
    fail_mode: "secure",
    datapath_type: bridge.datapathType,
    other_config: toMap([IN_BAND_OFF]),
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
  if (only?.name !== wanted.name) return replaceInterface(wanted, row.uuid, portIds);
  const alone = interfaces.length > 1 && { interfaces: toUuid(only.uuid) };
  const operations = [update("Port", row.uuid, { external_ids: portIds, ...alone })];
  const { type } = wanted;
  const external_ids = toMap(new Map([...only.externalIds, ...wanted.externalIds]));
  const options = toMap(wanted.options);
  operations.push(update("Interface", only.uuid, { type, options, external_ids }));
  return operations;
}

function replaceInterface(
  wanted: WantedPort,
  port: Uuid,
  portIds: readonly unknown[],
): Operation[] {
  const { name } = wanted;
  const interfaces = toNamedUuid(interfaceHandle(name));
  return [insertInterface(wanted), update("Port", port, { external_ids: portIds, interfaces })];
}

function insertInterface({ name, type, options, externalIds }: WantedPort): Operation {
  const row = { name, type, options: toMap(options), external_ids: toMap(externalIds) };
  return { op: "insert", table: "Interface", "uuid-name": interfaceHandle(name), row };
}

function portHandle(name: string): string {
  return `port_${name}`;
}

function interfaceHandle(name: string): string {
  return `interface_${name}`;
}
