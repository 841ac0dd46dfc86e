import { IFACE_ID } from "../external-ids.js";
import type { BridgePort, BridgeView, Topology } from "../topology.js";

/** Every host must be able to take packets of this length (RFC 791, section 3.1). */
const LEAST_MTU = 576;

const known = new WeakMap<Topology, ReadonlyMap<string, string>>();

/**
 * By network interface: which packets do not pass because of a setting that is not ours to change.
 * Its owner reads it: nothing here tells of others.
 */
export function hindrances(topology: Topology): ReadonlyMap<string, string> {
  const before = known.get(topology);
  if (before !== undefined) return before;
  const found = new Map<string, string>();
  for (const view of topology.bridges.values()) if (view.own) hindrancesOn(view, found);
  known.set(topology, found);
  return found;
}

function hindrancesOn({ ports }: BridgeView, found: Map<string, string>): void {
  const isProtected = ({ row }: BridgePort) => row.settings.has("protected");
  const areApart = ports.filter(isProtected).length > 1;
  for (const port of ports) {
    for (const { externalIds, settings, mtu: actual } of port.interfaces) {
      const id = externalIds.get(IFACE_ID);
      if (id === undefined) continue;
      const mtu = actual ?? Number(settings.get("mtu_request") ?? LEAST_MTU);
      if (areApart && isProtected(port)) found.set(id, APART);
      else if (mtu < LEAST_MTU) found.set(id, tooLong(mtu));
    }
  }
}

const APART =
  "its port is protected, and so are others of this VPC: packets between them do not pass";

function tooLong(mtu: number): string {
  return `its port has an MTU of ${mtu}: longer packets do not pass`;
}
