import { bridgeAsMade, DOWNLINK_TRUNK, UPLINK_TRUNK } from "./made.js";
import { type Care, RULES, type Rule } from "./rules.js";

const DONE: Readonly<Record<Care, string>> = {
  restored: "put right",
  reported: "reported",
  ignored: "–",
};

const HEAD = [
  "# Settings of the switch that others change",
  "",
  "Other tools can set bridges, ports and interfaces of ours: `ovs-vsctl`, an orchestrator, a script of",
  "long ago. The daemon watches the columns below in the Open vSwitch database. What it makes itself it",
  "keeps as it made it; what is the operator's it leaves as it is, and says so. This page is generated",
  "from `src/backends/ovs/settings/`.",
  "",
  "**Put right** is done as soon as the database tells of the change, also when it was made while the",
  "daemon or the switch was away. It counts as drift (`patchbay_reconcile_drift_total`), is logged, and is a",
  "`bridge.repair` on the event stream with what was found. So are `fail_mode`, `datapath_type`, marks in",
  "`external_ids`, types and options of our ports, and bridges and ports of ours that are missing.",
  "",
  "**Reported** is left as it is and shown until it goes:",
  "",
  "- in `settings` of the bridge in `GET /v1/data-plane`, and of `POST /v1/data-plane/reconcile`, with `wanted: null`;",
  "  what is the host's is at the exchange;",
  "- in the metric `patchbay_foreign_settings`;",
  "- once for each change in the log and on the event stream: `bridge.foreign-settings-appear`, `bridge.foreign-settings-vanish`;",
  "- on the interface, whose `dataPlane` says `error`, while it stops packets: `protected` on two ports or more of a",
  "  bridge, `mtu_request` below 576.",
  "",
  "A bridge that could not be looked at is in every report, with `error`; `patchbay_bridges_unread` counts them. A report",
  "says `applied: true` only when all of it was done.",
  "",
];

const MADE = [
  "",
  "## How bridges are made",
  "",
  "All settings have their defaults but these:",
  "",
  ...[...bridgeAsMade()].map(([name, value]) => {
    return `- \`${name}=${value}\` on every bridge of ours. A manager or controller that is not local otherwise has the switch add flows for in-band control to every bridge. They are in no flow table that OpenFlow shows, come before all others, and flood.`;
  }),
  `- \`trunks=${UPLINK_TRUNK}\` on the uplink of a VPC's bridge and \`trunks=${DOWNLINK_TRUNK}\` on its other end at the exchange. Our flows output to ports, for which this means nothing; the action NORMAL takes no frame across. While somebody has taken \`fail_mode\` away (\`ovs-vsctl emer-reset\` does it to all bridges at once), or has added a flow with NORMAL, VPCs stay apart.`,
  "",
];

/** docs/switch-settings.md. */
export function switchSettingsDocument(): string {
  return [...HEAD, ...TABLE, ...RULES.map(line), ...MADE].join("\n");
}

const TABLE = [
  "| table | setting | on our bridges and ports | on ports that carry an `iface-id` | what it does |",
  "|---|---|---|---|---|",
];

function line({ table, setting, ours, plugged, effect }: Rule): string {
  const ofPorts = table === "Port" || table === "Interface";
  const onOurs = table === "Open_vSwitch" ? `${DONE[ours]} (the host's)` : DONE[ours];
  const onPlugged = ofPorts ? DONE[plugged] : "";
  return `| ${table} | \`${setting}\` | ${onOurs} | ${onPlugged} | ${effect} |`;
}
