import type { Scope } from "../../domain/intent.js";
import type { SwitchNames } from "../names.js";
import { CT_ZONE_CALLED, CT_ZONE_CALLER, IFACE_ID } from "./external-ids.js";
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
  const exchangeChanged = left.exchange !== right.exchange;
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
  return { vpcs, lives, exchange: exchange === undefined ? undefined : describeSelf(exchange) };
}

function describeBridge(view: BridgeView, topology: Topology): string {
  const ports = view.ports.map((port) => describePort(port, topology)).sort();
  return [describeSelf(view), ...ports].join("\n");
}

function describeSelf(view: BridgeView): string {
  return JSON.stringify([describeLife(view), view.own, [...view.row.externalIds]]);
}

function describeLife({ row }: BridgeView): string {
  return JSON.stringify([row.uuid, row.failMode, row.datapathType]);
}

function describePort({ row, own, interfaces }: BridgePort, topology: Topology): string {
  const plugged = interfaces.map(({ name, type, options, ofport, error, externalIds }) => {
    const id = externalIds.get(IFACE_ID);
    const claimants = id === undefined ? 0 : topology.claims.get(id)?.length;
    const zones = [externalIds.get(CT_ZONE_CALLED), externalIds.get(CT_ZONE_CALLER)];
    return [name, type, [...options], ofport, error, id, claimants, ...zones];
  });
  return JSON.stringify([row.name, [...row.externalIds], own, plugged]);
}

function changedKeys(left: Map<string, string>, right: Map<string, string>): Set<string> {
  const keys = new Set([...left.keys(), ...right.keys()]);
  return new Set([...keys].filter((key) => left.get(key) !== right.get(key)));
}
