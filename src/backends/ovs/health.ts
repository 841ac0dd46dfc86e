import type { SwitchNames } from "../names.js";
import { type BridgePort, type Topology, usablePort } from "./topology.js";

/** The port number of a bridge's own port, OFPP_LOCAL: it has it once the bridge is there. */
const LOCAL_PORT = 65534;

/** Why ovs-vswitchd does not have a bridge that is in the database; undefined when it does. */
export function bridgeTrouble(topology: Topology, bridge: string): string | undefined {
  const local = topology.ports.get(bridge)?.interfaces[0];
  if (local?.ofport === LOCAL_PORT) return undefined;
  const type = topology.bridges.get(bridge)?.row.datapathType;
  const reason = local?.error ?? `see its log; is there a datapath of type "${type ?? ""}"?`;
  return `bridge ${bridge} was not set up by ovs-vswitchd: ${reason}`;
}

/** Why a VPC is not connected to the exchange; undefined when it is. */
export function uplinkTrouble(
  topology: Topology,
  vpcNumber: number,
  names: SwitchNames,
): string | undefined {
  return (
    portTrouble(topology.ports.get(names.uplink(vpcNumber)), names.uplink(vpcNumber)) ??
    portTrouble(topology.ports.get(names.downlink(vpcNumber)), names.downlink(vpcNumber))
  );
}

function portTrouble(port: BridgePort | undefined, name: string): string | undefined {
  const only = port?.interfaces[0];
  if (usablePort(only) !== undefined) return undefined;
  return `patch port ${name} has no port number${only?.error === undefined ? "" : `: ${only.error}`}`;
}
