import type { SettingDrift } from "../../domain/data-plane.js";
import type { IntentSlice, VpcIntent } from "../../domain/intent.js";
import type { BackendIdentity } from "../backend.js";
import { isGone } from "../flows/desired.js";
import type { SwitchNames } from "../names.js";
import { externalIds, type Role } from "./external-ids.js";
import type { Uuid } from "./rows.js";
import {
  type Correction,
  compareSettings,
  type SettingComparison,
  systemDrift,
} from "./settings/compare.js";
import { DOWNLINK_TRUNK, UPLINK_TRUNK } from "./settings/made.js";
import { bridgeDrift, leftOver, portDrift } from "./settings/structure.js";
import type { BridgePort, BridgeView, Topology } from "./topology.js";
import type { WantedBridge, WantedPort } from "./wanted.js";

/** What has to be done to one bridge. */
export interface BridgeWork {
  readonly wanted: WantedBridge;
  /** Undefined: the bridge is to be made, with all its ports. */
  readonly existing: BridgeView | undefined;
  readonly missingPorts: readonly WantedPort[];
  /** Ports of ours on bridges where they do not belong: they are made anew in their place. */
  readonly misplaced: readonly { readonly port: Uuid; readonly bridge: Uuid }[];
  readonly wrongPorts: readonly { readonly wanted: WantedPort; readonly existing: BridgePort }[];
  /** Whether what makes it a bridge of ours is wrong. */
  readonly wrongSettings: boolean;
  /** Other settings, of its ports too. */
  readonly corrections: readonly Correction[];
}

/** The difference between the bridges and ports that intent needs and those in OVSDB. */
export interface Infrastructure {
  readonly work: readonly BridgeWork[];
  /** By VPC: why it cannot have its bridge. */
  readonly clashes: ReadonlyMap<string, string>;
  readonly exchangeClash: string | undefined;
  readonly goneBridges: readonly BridgeView[];
  /** Ports on the exchange of VPCs that do not exist. */
  readonly gonePorts: readonly BridgePort[];
  /** By bridge: what of it and its ports stands otherwise, whether it is put right or not. */
  readonly settings: ReadonlyMap<string, readonly SettingDrift[]>;
}

export interface InfrastructureOptions {
  readonly identity: BackendIdentity;
  readonly names: SwitchNames;
  readonly datapath: "system" | "netdev";
}

export function planInfrastructure(
  slice: IntentSlice,
  topology: Topology,
  options: InfrastructureOptions,
): Infrastructure {
  const clashes = new Map<string, string>();
  const exchangeClash = clashOf(wantedExchange([], options), topology);
  const bridges: WantedBridge[] = [];
  const vpcs: VpcIntent[] = [];
  for (const vpc of slice.vpcs.values()) {
    const bridge = wantedVpcBridge(vpc, options);
    const clash =
      exchangeClash ??
      clashOf(bridge, topology) ??
      portClash(wantedDownlink(vpc, options), options.names.exchange, topology);
    if (clash !== undefined) clashes.set(vpc.id, clash);
    else {
      vpcs.push(vpc);
      bridges.push(bridge);
    }
  }
  if (exchangeClash === undefined) bridges.push(wantedExchange(vpcs, options));
  const gone = findGone(slice, topology, options);
  const work: BridgeWork[] = [];
  const settings = new Map<string, SettingDrift[]>();
  for (const bridge of bridges) {
    const view = topology.bridges.get(bridge.name);
    const isExchange = bridge.vpcId === undefined;
    const compared = view === undefined ? NOTHING_COMPARED : compareSettings(view, isExchange);
    settings.set(bridge.name, describeSettings(bridge, topology, compared));
    work.push(...workOn(bridge, topology, compared.corrections));
  }
  for (const { row } of gone.goneBridges) settings.set(row.name, [leftOver(`bridge ${row.name}`)]);
  const onExchange = settings.get(options.names.exchange);
  onExchange?.push(...gone.gonePorts.map(({ row }) => leftOver(`port ${row.name}`)));
  onExchange?.push(...systemDrift(topology.settings));
  return { work, clashes, exchangeClash, settings, ...gone };
}

const NOTHING_COMPARED: SettingComparison = { corrections: [], reported: [] };

function describeSettings(
  wanted: WantedBridge,
  topology: Topology,
  { corrections, reported }: SettingComparison,
): SettingDrift[] {
  return [
    ...bridgeDrift(wanted, topology.bridges.get(wanted.name)),
    ...wanted.ports.flatMap((port) =>
      portDrift(port, portInPlace(port.name, wanted.name, topology)),
    ),
    ...corrections.map(({ drift }) => drift),
    ...reported,
  ];
}

function wantedVpcBridge(vpc: VpcIntent, options: InfrastructureOptions): WantedBridge {
  const { names } = options;
  const name = names.vpcBridge(vpc.number);
  const uplink = patch(names.uplink(vpc.number), vpc, options);
  return wantedBridge(name, "vpc", vpc.id, [uplink], options);
}

function wantedExchange(vpcs: readonly VpcIntent[], options: InfrastructureOptions): WantedBridge {
  const downlinks = vpcs.map((vpc) => wantedDownlink(vpc, options));
  return wantedBridge(options.names.exchange, "exchange", undefined, downlinks, options);
}

function wantedDownlink(vpc: VpcIntent, options: InfrastructureOptions): WantedPort {
  return patch(options.names.downlink(vpc.number), vpc, options);
}

function wantedBridge(
  name: string,
  role: Role,
  vpcId: string | undefined,
  ports: readonly WantedPort[],
  { identity, datapath }: InfrastructureOptions,
): WantedBridge {
  const ids = externalIds(identity.installationId, role, vpcId);
  const type = "internal";
  const options = new Map<string, string>();
  const local: WantedPort = { name, type, options, externalIds: ids, vpcId, trunk: undefined };
  return { name, vpcId, datapathType: datapath, externalIds: ids, ports: [local, ...ports] };
}

function patch(
  name: string,
  { id, number }: VpcIntent,
  { identity, names }: InfrastructureOptions,
): WantedPort {
  const ids = externalIds(identity.installationId, "uplink", id);
  const isOnExchange = name === names.downlink(number);
  const options = new Map([["peer", isOnExchange ? names.uplink(number) : names.downlink(number)]]);
  const trunk = isOnExchange ? DOWNLINK_TRUNK : UPLINK_TRUNK;
  return { name, type: "patch", options, externalIds: ids, vpcId: id, trunk };
}

/** Ownership is decided by external_ids alone: a fitting name does not make a bridge ours. */
function clashOf(wanted: WantedBridge, topology: Topology): string | undefined {
  const existing = topology.bridges.get(wanted.name);
  if (existing !== undefined && !existing.own) {
    return `bridge ${wanted.name} exists already and does not belong to this installation`;
  }
  if (existing?.vpcId !== undefined && existing.vpcId !== wanted.vpcId) {
    return `bridge ${wanted.name} is marked as that of ${existing.vpcId}`;
  }
  for (const port of wanted.ports) {
    const clash = portClash(port, wanted.name, topology);
    if (clash !== undefined) return clash;
  }
  return undefined;
}

function portClash(wanted: WantedPort, bridge: string, topology: Topology): string | undefined {
  const existing = topology.ports.get(wanted.name);
  if (existing === undefined || existing.own) return undefined;
  if (existing.bridge === bridge && isOurPatch(wanted, existing)) return undefined;
  const where = `port ${wanted.name} exists already on bridge ${existing.bridge}`;
  return `${where} and does not belong to this installation`;
}

/** A patch that nothing marks any more, in its place and to the right peer, is still ours. */
function isOurPatch({ type, options }: WantedPort, { interfaces }: BridgePort): boolean {
  const [only] = interfaces;
  return type === "patch" && only?.type === type && includes(only.options, options);
}

/** The port where it belongs; one that another tool has moved elsewhere is made anew. */
function portInPlace(
  name: string,
  bridge: string,
  { ports }: Pick<Topology, "ports">,
): BridgePort | undefined {
  const found = ports.get(name);
  return found?.bridge === bridge ? found : undefined;
}

function workOn(
  wanted: WantedBridge,
  topology: Topology,
  corrections: readonly Correction[],
): BridgeWork[] {
  const existing = topology.bridges.get(wanted.name);
  const placeOf = (name: string) => portInPlace(name, wanted.name, topology);
  const missingPorts = wanted.ports.filter(({ name }) => placeOf(name) === undefined);
  const misplaced = missingPorts.flatMap(({ name }) => {
    const port = topology.ports.get(name);
    const bridge = topology.bridges.get(port?.bridge ?? "")?.row.uuid;
    return port === undefined || bridge === undefined ? [] : [{ port: port.row.uuid, bridge }];
  });
  const wrongPorts = wanted.ports.flatMap((port) => {
    const found = placeOf(port.name);
    return found === undefined || isRight(port, found) ? [] : [{ wanted: port, existing: found }];
  });
  const wrongSettings = existing !== undefined && !hasSettings(wanted, existing);
  const settled = existing !== undefined && missingPorts.length + wrongPorts.length === 0;
  if (settled && !wrongSettings && corrections.length === 0) return [];
  return [{ wanted, existing, missingPorts, misplaced, wrongPorts, wrongSettings, corrections }];
}

function hasSettings(wanted: WantedBridge, { row }: BridgeView): boolean {
  return keepsFlows(wanted, row) && includes(row.externalIds, wanted.externalIds);
}

/** Whether the settings are right that make ovs-vswitchd flush or rebuild a bridge on change. */
export function keepsFlows(
  { datapathType }: WantedBridge,
  row: { readonly failMode: string | undefined; readonly datapathType: string },
): boolean {
  const actual = row.datapathType === "" ? "system" : row.datapathType;
  return row.failMode === "secure" && actual === datapathType;
}

function isRight(wanted: WantedPort, { row, interfaces }: BridgePort): boolean {
  const [only] = interfaces;
  return (
    only !== undefined &&
    interfaces.length === 1 &&
    only.name === wanted.name &&
    only.type === wanted.type &&
    includes(only.options, wanted.options) &&
    includes(row.externalIds, wanted.externalIds) &&
    includes(only.externalIds, wanted.externalIds)
  );
}

function includes(
  actual: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): boolean {
  return [...wanted].every(([key, value]) => actual.get(key) === value);
}

function findGone(
  slice: IntentSlice,
  topology: Topology,
  { names }: InfrastructureOptions,
): Pick<Infrastructure, "goneBridges" | "gonePorts"> {
  const isForGoneVpc = ({ vpcId }: { readonly vpcId: string | undefined }) =>
    vpcId === undefined ? slice.scope === "all" : isGone(slice, vpcId);
  const expected = new Set([...slice.vpcs.values()].map(({ number }) => names.vpcBridge(number)));
  const goneBridges = [...topology.bridges.values()].filter(
    (view) =>
      view.own &&
      view.row.name !== names.exchange &&
      !expected.has(view.row.name) &&
      isForGoneVpc(view),
  );
  const exchange = topology.bridges.get(names.exchange);
  const gonePorts = (exchange?.own === true ? exchange.ports : []).filter(
    (port) => port.own && port.role === "uplink" && isForGoneVpc(port),
  );
  return { goneBridges, gonePorts };
}
