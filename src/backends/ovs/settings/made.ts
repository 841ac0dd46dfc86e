import type { BridgePort } from "../topology.js";
import type { Settings } from "./columns.js";
import { IN_BAND } from "./rules.js";

/** What bridges are made with beside the defaults. */
export const IN_BAND_OFF = ["disable-in-band", "true"] as const;

/**
 * Either end of the patch between a VPC's bridge and the exchange lets one VLAN pass, and not the same
 * one: so the action NORMAL takes no frame across, tagged or not. Our flows output to ports, and do
 * not ask for VLANs. It is there for the moments in which the switch forwards otherwise: while
 * another tool has taken `fail_mode` away, or has added flows.
 */
export const UPLINK_TRUNK = 4094;
export const DOWNLINK_TRUNK = 4095;

const NOTHING: Settings = new Map();
const BRIDGE: Settings = new Map([[IN_BAND, IN_BAND_OFF[1]]]);
const UPLINK: Settings = new Map([["trunks", String(UPLINK_TRUNK)]]);
const DOWNLINK: Settings = new Map([["trunks", String(DOWNLINK_TRUNK)]]);

/** The settings of a bridge of ours that are not at their defaults. */
export function bridgeAsMade(): Settings {
  return BRIDGE;
}

/**
 * As for bridges. Beside a bridge's own port, those of ours are ends of patches, whatever another tool
 * has made of their marks.
 */
export function portAsMade({ own, row, bridge }: BridgePort, isOnExchange: boolean): Settings {
  if (!own || row.name === bridge) return NOTHING;
  return isOnExchange ? DOWNLINK : UPLINK;
}
