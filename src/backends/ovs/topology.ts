import type { PeerGroupIntent, VpcIntent } from "../../domain/intent.js";
import type { InterfacePort, VpcPorts } from "../../pipeline/render.js";
import type { PortView } from "../flows/desired.js";
import type { SwitchNames } from "../names.js";
import {
  hasBoth,
  parseZone,
  readZone,
  ZONE_KEYS,
  ZONE_SIDES,
  type ZoneSide,
  type ZonesSoFar,
} from "./ct-zone.js";
import { IFACE_ID, INSTALLATION, ROLE, VPC } from "./external-ids.js";
import { bridgeMarks, ownFirst, portMarks } from "./ownership.js";
import type { Replica } from "./replica.js";
import type { BridgeRow, InterfaceRow, PortRow, Uuid } from "./rows.js";
import type { Settings } from "./settings/columns.js";

const OVN_ZONE = "ct-zone-";

export interface BridgeView {
  readonly row: BridgeRow;
  readonly ports: readonly BridgePort[];
  /** Whether it belongs to this installation. */
  readonly own: boolean;
  readonly vpcId: string | undefined;
}

export interface BridgePort {
  readonly row: PortRow;
  readonly bridge: string;
  readonly interfaces: readonly InterfaceRow[];
  readonly own: boolean;
  readonly role: string | undefined;
  readonly vpcId: string | undefined;
}

/** A port that says which network interface is plugged into it. */
export interface Claim {
  readonly port: string;
  readonly bridge: string;
  /** The VPC whose bridge it is. */
  readonly vpcId: string | undefined;
  /** Undefined while the port does not work. */
  readonly ofport: number | undefined;
  /** The row of the OVS interface. */
  readonly row: Uuid;
  /** The OVS interface itself. */
  readonly plugged: InterfaceRow;
  /** Its conntrack zones; undefined until it has them, and where another has the same. */
  readonly zones: ZonesSoFar;
}

/** Whose a conntrack zone is. */
export interface ZoneHolder {
  readonly zone: number;
  readonly side: ZoneSide;
  readonly networkInterfaceId: string;
  readonly bridge: string;
  /** The VPC whose bridge it is. */
  readonly vpcId: string | undefined;
}

/** What the replica says about bridges and ports, arranged for look-ups. Never changes. */
export class Topology implements PortView {
  /** By name; those of others included. */
  readonly bridges: ReadonlyMap<string, BridgeView>;
  /** By name; those of others included. */
  readonly ports: ReadonlyMap<string, BridgePort>;
  /** By network interface; only on bridges of this installation. */
  readonly claims: ReadonlyMap<string, readonly Claim[]>;
  /** Conntrack zones that are spoken for on this host, by this installation or another. */
  readonly zones: ReadonlySet<number>;
  /** Of the host as a whole. */
  readonly settings: Settings;
  readonly #uplinks = new Map<string, number>();
  readonly #downlinks = new Map<string, number>();

  constructor(replica: Replica, installationId: string, names: SwitchNames) {
    const views = viewBridges(replica, installationId);
    this.bridges = new Map(views.map((view) => [view.row.name, view]));
    const ports = views.flatMap((view) => view.ports);
    this.ports = new Map(ports.map((port) => [port.row.name, port]));
    this.settings = replica.system?.settings ?? new Map();
    const owners = zoneOwners(replica);
    this.zones = new Set([...owners.keys(), ...zonesOfOvn(replica)]);
    this.claims = collectClaims(views, owners);
    for (const port of ports) this.#noteUplink(port, names);
  }

  ofVpc(vpc: VpcIntent): VpcPorts {
    const interfaces = new Map<string, InterfacePort>();
    for (const { id } of vpc.interfaces) {
      const place = this.#placeOf(id, vpc.id);
      if (place !== undefined) interfaces.set(id, place);
    }
    const peerInterfaces = this.#plugged(vpc.peerGroups.filter(({ vpcId }) => vpcId !== vpc.id));
    return { uplink: this.#uplinks.get(vpc.id), interfaces, peerInterfaces };
  }

  /** Where packets of an interface come from; undefined while none may: it needs a zone as well. */
  #placeOf(networkInterfaceId: string, vpcId: string): InterfacePort | undefined {
    const { ofport: port, zones } = this.soleClaim(networkInterfaceId, vpcId) ?? {};
    if (port === undefined || zones === undefined || !hasBoth(zones)) return undefined;
    return { port, zones };
  }

  #plugged(groups: readonly PeerGroupIntent[]): Set<string> {
    const plugged = groups.flatMap(({ vpcId, members }) =>
      members.filter(({ id }) => this.#placeOf(id, vpcId) !== undefined),
    );
    return new Set(plugged.map(({ id }) => id));
  }

  /** The zones of interfaces that are plugged into bridges of this installation. */
  ownZones(): number[] {
    return this.zoneHolders().map(({ zone }) => zone);
  }

  zoneHolders(): ZoneHolder[] {
    return [...this.claims].flatMap(([networkInterfaceId, claims]) =>
      claims.flatMap(({ zones, bridge, vpcId }) =>
        ZONE_SIDES.flatMap((side) => {
          const zone = zones[side];
          return zone === undefined ? [] : [{ zone, side, networkInterfaceId, bridge, vpcId }];
        }),
      ),
    );
  }

  /** The one port that an interface is plugged into, when it works and is on its VPC's bridge. */
  soleClaim(networkInterfaceId: string, vpcId: string): Claim | undefined {
    const claims = this.claims.get(networkInterfaceId) ?? [];
    const [claim] = claims;
    if (claims.length !== 1 || claim?.ofport === undefined) return undefined;
    return claim.vpcId === vpcId ? claim : undefined;
  }

  onExchange(vpcId: string): number | undefined {
    return this.#downlinks.get(vpcId);
  }

  /** Either end counts where it belongs, and not where another tool has put it. */
  #noteUplink(port: BridgePort, names: SwitchNames): void {
    const ofport = usablePort(port.interfaces[0]);
    const { vpcId, row, bridge } = port;
    if (!port.own || port.role !== "uplink" || vpcId === undefined || ofport === undefined) return;
    if (bridge === names.exchange) {
      if (names.isDownlink(row.name)) this.#downlinks.set(vpcId, ofport);
    } else if (names.isUplink(row.name) && this.bridges.get(bridge)?.vpcId === vpcId) {
      this.#uplinks.set(vpcId, ofport);
    }
  }
}

/**
 * The port number of an interface that works; undefined for any other. The error of a patch port
 * does not count: ovs-vswitchd may leave "No usable peer" standing after the peer has come back.
 */
export function usablePort(row: InterfaceRow | undefined): number | undefined {
  if (row?.ofport === undefined || row.ofport <= 0) return undefined;
  return row.error === undefined || row.type === "patch" ? row.ofport : undefined;
}

function viewBridges(replica: Replica, installationId: string): BridgeView[] {
  const isOwn = (ids: ReadonlyMap<string, string>) => ids.get(INSTALLATION) === installationId;
  return [...replica.bridges.values()].map((row) => {
    const ports = row.ports.flatMap((uuid) => {
      const port = replica.ports.get(uuid);
      if (port === undefined) return [];
      const found = port.interfaces.flatMap((id) => replica.interfaces.get(id) ?? []);
      const interfaces = ownFirst(port, found);
      return { row: port, interfaces, ids: portMarks(port, interfaces) };
    });
    const marks = bridgeMarks(row, ports);
    return {
      row,
      own: isOwn(marks),
      vpcId: marks.get(VPC),
      ports: ports.map(({ row: port, interfaces, ids }) => ({
        row: port,
        bridge: row.name,
        interfaces,
        own: isOwn(ids),
        role: ids.get(ROLE),
        vpcId: ids.get(VPC),
      })),
    };
  });
}

/** A side of the interface in a row, as text: "called" comes before "caller". */
function sideOf(uuid: Uuid, side: ZoneSide): string {
  return `${uuid}/${side}`;
}

/**
 * Which side of which row has each zone that the host's interfaces are marked with. Of two that are
 * marked with one zone, the first has it.
 */
function zoneOwners({ interfaces }: Replica): Map<number, string> {
  const owners = new Map<number, string>();
  for (const { uuid, externalIds } of interfaces.values()) {
    for (const side of ZONE_SIDES) {
      const found = readZone(externalIds.get(ZONE_KEYS[side]));
      if (found === undefined) continue;
      const self = sideOf(uuid, side);
      const other = owners.get(found.zone);
      if (other === undefined || self < other) owners.set(found.zone, self);
    }
  }
  return owners;
}

/** ovn-controller keeps its zones in the external_ids of its integration bridge. */
function zonesOfOvn({ bridges }: Replica): number[] {
  return [...bridges.values()].flatMap(({ externalIds }) =>
    [...externalIds].flatMap(([key, value]) =>
      key.startsWith(OVN_ZONE) ? (parseZone(value) ?? []) : [],
    ),
  );
}

function ownZones(row: InterfaceRow, id: string, owners: ReadonlyMap<number, string>): ZonesSoFar {
  const ownZone = (side: ZoneSide) => {
    const found = readZone(row.externalIds.get(ZONE_KEYS[side]));
    const isOwn = found?.owner === id && owners.get(found.zone) === sideOf(row.uuid, side);
    return isOwn ? found.zone : undefined;
  };
  return { caller: ownZone("caller"), called: ownZone("called") };
}

function collectClaims(
  views: readonly BridgeView[],
  owners: ReadonlyMap<number, string>,
): Map<string, Claim[]> {
  const claims = new Map<string, Claim[]>();
  for (const { own, row, vpcId, ports } of views) {
    for (const port of own ? ports : []) {
      for (const plugged of port.interfaces) {
        const id = plugged.externalIds.get(IFACE_ID);
        if (id === undefined) continue;
        const ofport = usablePort(plugged);
        const zones = ownZones(plugged, id, owners);
        const place = { port: plugged.name, bridge: row.name, vpcId };
        const claim = { ...place, ofport, row: plugged.uuid, plugged, zones };
        claims.set(id, [...(claims.get(id) ?? []), claim]);
      }
    }
  }
  return claims;
}
