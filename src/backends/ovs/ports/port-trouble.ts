import type { PortSettings } from "../../../openflow/wire/port-status.js";
import type { InterfaceRow } from "../rows.js";
import { usablePort } from "../topology.js";

/** All that the switch knows of a port that an interface is plugged into. */
export interface PortFacts {
  readonly row: InterfaceRow;
  /** As in its bridge's row: "netdev" for the userspace datapath. */
  readonly datapathType: string;
  /** How it is set by OpenFlow; undefined while that is not known. */
  readonly settings: PortSettings | undefined;
  /** Of a patch port: whether there is another one that it is joined to. */
  readonly hasPeer: boolean;
  /** Whether the switch still listens to a device that is gone. */
  readonly isStale: boolean;
}

/** Why a port carries no packets, or none in one direction; undefined when it does, as far as known. */
export function portTrouble({ row, datapathType, settings, hasPeer, isStale }: PortFacts) {
  return (
    openTrouble(row) ??
    (row.type === "patch" && !hasPeer
      ? "there is no other port that it is joined to"
      : undefined) ??
    deviceTrouble(row, datapathType) ??
    (isStale ? "its device was made anew, and the switch has yet to open it again" : undefined) ??
    settingsTrouble(settings)
  );
}

function openTrouble(row: InterfaceRow): string | undefined {
  if (usablePort(row) !== undefined) return undefined;
  return row.error === undefined
    ? "the switch has given it no port number"
    : `the switch says "${row.error}"`;
}

/** The states are the device's own; what has no device is always up. */
function deviceTrouble(row: InterfaceRow, datapathType: string): string | undefined {
  const { adminState, linkState } = row;
  const isGone = (row.ifindex ?? 0) === 0;
  if (isGone && isTap(row, datapathType)) return undefined;
  if (adminState === "down" && isGone) return "its network device is gone";
  if (adminState === "down") return "its network device is set down";
  if (linkState === "down") return "its link is down: the other end is down, closed or gone";
  return undefined;
}

/**
 * ovs-vswitchd keeps the tap device of an internal port open when it is moved to another network
 * namespace, where it cannot see it but goes on using it (measured on Open vSwitch 3.1.0).
 */
function isTap({ type }: InterfaceRow, datapathType: string): boolean {
  return datapathType === "netdev" && (type === "internal" || type === "tap");
}

function settingsTrouble(settings: PortSettings | undefined): string | undefined {
  const { noReceive = false, noForward = false } = settings ?? {};
  if (noReceive && noForward) return "it is set to no-receive and no-forward by OpenFlow";
  if (noReceive) return "it is set to no-receive by OpenFlow: what is sent into it is dropped";
  if (noForward) return "it is set to no-forward by OpenFlow: nothing comes out of it";
  return undefined;
}
