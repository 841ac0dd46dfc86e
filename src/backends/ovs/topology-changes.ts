import type { Scope } from "../../domain/intent.js";
import type { SwitchNames } from "../names.js";
import {
  CT_ZONE_CALLED,
  CT_ZONE_CALLER,
  IFACE_ID,
  INSTALLATION,
  ROLE,
  VPC,
} from "./external-ids.js";
import { isSame } from "./settings/columns.js";
import type { BridgePort, BridgeView, Topology } from "./topology.js";

export interface TopologyChanges {
  /** VPCs whose bridge, ports or bindings are no longer what they were; "all" for the exchange. */
  readonly doubtful: Scope;
  /** Bridges that came, went, or were made anew: whatever flows they had are gone. */
  readonly rebuilt: readonly string[];
}

/** Compares two states of the switch, as far as they are this installation's business. */
export function topologyChanges(
  before: Topology,
  after: Topology,
  names: SwitchNames,
): TopologyChanges {
  const left = describe(before, names);
  const right = describe(after, names);
  const rebuilt = changedKeys(left.lives, right.lives);
  const exchangeChanged =
    left.exchange !== right.exchange || !isSame(before.settings, after.settings);
  const doubtful = exchangeChanged ? "all" : changedKeys(left.vpcs, right.vpcs);
  return { doubtful, rebuilt: [...rebuilt] };
}

interface Description {
  /** By VPC: all that its flows depend on. */
  readonly vpcs: Map<string, string>;
  readonly exchange: string | undefined;
  /** By bridge: whatever makes ovs-vswitchd drop its flows when it changes. */
  readonly lives: Map<string, string>;
}

function describe(topology: Topology, names: SwitchNames): Description {
  const vpcs = new Map<string, string>();
  const lives = new Map<string, string>();
  const note = (vpcId: string | undefined, text: string) => {
    if (vpcId !== undefined) vpcs.set(vpcId, `${vpcs.get(vpcId) ?? ""}\n${text}`);
  };
  for (const view of topology.bridges.values()) {
    if (!view.own) continue;
    lives.set(view.row.name, describeLife(view));
    if (view.row.name !== names.exchange) note(view.vpcId, describeBridge(view, topology));
    else for (const port of view.ports) note(port.vpcId, describePort(port, topology));
  }
  const exchange = topology.bridges.get(names.exchange);
  return { vpcs, lives, exchange: exchange && describeExchange(exchange, topology) };
}

/** Ports that are no VPC's concern the exchange itself. */
function describeExchange(view: BridgeView, topology: Topology): string {
  const others = view.ports.filter(({ vpcId }) => vpcId === undefined);
  return [describeSelf(view), ...others.map((port) => describePort(port, topology))].join("\n");
}

function describeBridge(view: BridgeView, topology: Topology): string {
  const ports = view.ports.map((port) => describePort(port, topology)).sort();
  return [describeSelf(view), ...ports].join("\n");
}

function describeSelf(view: BridgeView): string {
  const { externalIds, settings } = view.row;
  return JSON.stringify([describeLife(view), view.own, [...externalIds], [...settings]]);
}

function describeLife({ row }: BridgeView): string {
  // Flows are flushed when the first controller comes, and again when the last one goes.
  const isControlled = row.settings.has("controller");
  return JSON.stringify([row.uuid, row.failMode, row.datapathType, isControlled]);
}

const MARKS = [INSTALLATION, ROLE, VPC];

function describePort({ row, own, interfaces }: BridgePort, topology: Topology): string {
  const plugged = interfaces.map((each) => {
    const { name, type, options, ofport, error, externalIds } = each;
    const id = externalIds.get(IFACE_ID);
    const claimants = id === undefined ? 0 : topology.claims.get(id)?.length;
    const zones = [externalIds.get(CT_ZONE_CALLED), externalIds.get(CT_ZONE_CALLER)];
    const state = [name, type, [...options], ofport, error, id, claimants, ...zones];
    const marks = MARKS.map((mark) => externalIds.get(mark));
    return [...state, [...each.settings], marks];
  });
  return JSON.stringify([row.name, [...row.externalIds], own, plugged, [...row.settings]]);
}

function changedKeys(left: Map<string, string>, right: Map<string, string>): Set<string> {
  const keys = new Set([...left.keys(), ...right.keys()]);
  return new Set([...keys].filter((key) => left.get(key) !== right.get(key)));
}
