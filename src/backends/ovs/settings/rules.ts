import type { SettingTable } from "./columns.js";

/** Whose row it is: ours, a port that carries an `iface-id`, or whatever else is on our bridges. */
export type Owner = "ours" | "plugged" | "other";

/** What is done about a setting that is not as we make rows. */
export type Care = "restored" | "reported" | "ignored";

export interface Rule {
  readonly table: SettingTable;
  /** `column`, or `column:key`; `column:*` for the keys that no other rule names. */
  readonly setting: string;
  readonly ours: Care;
  readonly plugged: Care;
  /** What the setting does, and so why it is cared for: for operators. */
  readonly effect: string;
}

/** In-band control has the switch forward by flows that no table shows, on every bridge. */
export const IN_BAND = "other_config:disable-in-band";

const BRIDGE = "Bridge";
const PORT = "Port";
const INTERFACE = "Interface";
const SYSTEM = "Open_vSwitch";

/** The first rule that fits holds. On ports of others without an `iface-id` all is only reported. */
export const RULES: readonly Rule[] = [
  ours(BRIDGE, "protocols", "without OpenFlow 1.4 the daemon cannot reach the bridge"),
  ours(BRIDGE, "controller", "its coming and going flushes flows; a controller adds its own"),
  ours(BRIDGE, "stp_enable", "ports that listen or learn pass nothing"),
  ours(BRIDGE, "rstp_enable", "ports that discard or learn pass nothing"),
  ours(BRIDGE, "mcast_snooping_enable", "bears on the action NORMAL, which our flows never use"),
  ours(BRIDGE, IN_BAND, "else a remote manager or controller makes hidden flows that flood"),
  ignored(BRIDGE, "other_config:dp-desc", "a description"),
  ignored(BRIDGE, "other_config:dp-sn", "a description"),
  reported(BRIDGE, "mirrors", "copies packets to a port or VLAN"),
  reported(BRIDGE, "netflow", "tells a collector of packets"),
  reported(BRIDGE, "sflow", "sends samples of packets to a collector"),
  reported(BRIDGE, "ipfix", "sends samples of packets to a collector"),
  reported(BRIDGE, "flood_vlans", "floods VLANs; bears on the action NORMAL"),
  reported(BRIDGE, "flow_tables:*", "may refuse or evict flows, or change how they are found"),
  reported(BRIDGE, "auto_attach", "sends LLDP frames and maps VLANs"),
  reported(BRIDGE, "other_config:*", "as forward-bpdu, hwaddr, datapath-id, mac-table-size"),
  vlan("tag", "puts frames into a VLAN"),
  vlan("trunks", "shuts out VLANs"),
  vlan("vlan_mode", "adds or strips VLAN tags"),
  vlan("cvlans", "shuts out VLANs inside a tunnel"),
  others(PORT, "protected", "packets between two protected ports of a bridge do not pass"),
  others(PORT, "qos", "shapes or drops what leaves by the port"),
  others(PORT, "bond_mode", "bears on ports of several interfaces"),
  others(PORT, "lacp", "bears on ports of several interfaces"),
  others(PORT, "interfaces", "of a port of several interfaces each is a port of its own to flows"),
  others(PORT, "mac", "the address of a port's device"),
  others(PORT, "other_config:*", "as priority-tags, qinq-ethtype, stp-enable"),
  others(INTERFACE, "ingress_policing_rate", "drops what comes in faster"),
  others(INTERFACE, "ingress_policing_burst", "drops what comes in faster"),
  others(INTERFACE, "ingress_policing_kpkts_rate", "drops what comes in faster"),
  others(INTERFACE, "ingress_policing_kpkts_burst", "drops what comes in faster"),
  others(INTERFACE, "mtu_request", "longer packets do not pass"),
  others(INTERFACE, "ofport_request", "changes the port's number"),
  others(INTERFACE, "bfd:*", "the switch takes BFD packets for itself"),
  others(INTERFACE, "cfm_mpid", "the switch takes CFM frames for itself"),
  others(INTERFACE, "lldp:*", "the switch takes LLDP frames for itself"),
  others(INTERFACE, "other_config:*", "as cfm_opstate, emc-enable"),
  reported(
    SYSTEM,
    "other_config:flow-restore-wait",
    "the switch passes nothing new while it is set",
  ),
  reported(SYSTEM, "other_config:flow-limit", "bounds the flows of the datapath"),
  reported(SYSTEM, "other_config:max-idle", "how long the datapath keeps unused flows"),
  reported(SYSTEM, "other_config:max-revalidator", "how soon the datapath follows changes"),
  reported(SYSTEM, "other_config:min-revalidate-pps", "how soon the datapath follows changes"),
  reported(SYSTEM, "other_config:hw-offload", "hardware forwards by the datapath's flows"),
  reported(SYSTEM, "other_config:tc-policy", "which flows go to hardware"),
  reported(SYSTEM, "other_config:vlan-limit", "how many VLAN tags flows see"),
  reported(SYSTEM, "other_config:bundle-idle-timeout", "how long staged changes are kept"),
  reported(SYSTEM, "other_config:userspace-tso-enable", "leaves checksums to devices"),
  ignored(SYSTEM, "other_config:*", "the host's own: how its processors and memory are used"),
];

const BY_SETTING = new Map(RULES.map((rule) => [`${rule.table} ${rule.setting}`, rule]));

export function careFor(table: SettingTable, setting: string, owner: Owner): Care {
  const rule = ruleOf(table, setting);
  // A column that is watched and has no rule does not pass unseen.
  if (rule === undefined) return "reported";
  if (owner === "ours") return rule.ours;
  if (owner === "plugged") return rule.plugged;
  return rule.plugged === "restored" ? "reported" : rule.plugged;
}

function ruleOf(table: SettingTable, setting: string): Rule | undefined {
  const [column] = setting.split(":");
  return BY_SETTING.get(`${table} ${setting}`) ?? BY_SETTING.get(`${table} ${column}:*`);
}

function ours(table: SettingTable, setting: string, effect: string): Rule {
  return { table, setting, ours: "restored", plugged: "restored", effect };
}

function vlan(setting: string, effect: string): Rule {
  return ours(PORT, setting, effect);
}

function others(table: SettingTable, setting: string, effect: string): Rule {
  return { table, setting, ours: "restored", plugged: "reported", effect };
}

function reported(table: SettingTable, setting: string, effect: string): Rule {
  return { table, setting, ours: "reported", plugged: "reported", effect };
}

function ignored(table: SettingTable, setting: string, effect: string): Rule {
  return { table, setting, ours: "ignored", plugged: "ignored", effect };
}
