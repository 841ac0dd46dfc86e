import type { Binding } from "../../domain/data-plane.js";
import type { VpcIntent } from "../../domain/intent.js";
import type { InterfacePort, VpcPorts } from "../../pipeline/render.js";
import type { PortView } from "../flows/desired.js";
import type { SwitchNames } from "../names.js";
import { parseZone, readZone } from "./ct-zone.js";
import { CT_ZONE, IFACE_ID, INSTALLATION, ROLE, VPC } from "./external-ids.js";
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
  /** Its conntrack zone; undefined until it has one, and when another interface has the same. */
  readonly zone: number | undefined;
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
      const { ofport: port, zone } = this.soleClaim(id, vpc.id) ?? {};
      if (port !== undefined && zone !== undefined) interfaces.set(id, { port, zone });
    }
    return { uplink: this.#uplinks.get(vpc.id), interfaces };
  }

  /** The zones of interfaces that are plugged into bridges of this installation. */
  ownZones(): number[] {
    return [...this.claims.values()].flat().flatMap(({ zone }) => zone ?? []);
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

  /** @param home the VPC that the interface belongs to, undefined when that is not known */
  binding(networkInterfaceId: string, home: string | undefined): Binding {
    const claims = this.claims.get(networkInterfaceId) ?? [];
    const [claim] = claims;
    if (claims.length > 1) return { kind: "conflict", message: conflictMessage(claims, home) };
    if (claim?.ofport === undefined || (home !== undefined && claim.vpcId !== home)) {
      return { kind: "unbound" };
    }
    return { kind: "bound", port: claim.port };
  }

  #noteUplink(port: BridgePort, names: SwitchNames): void {
    const ofport = usablePort(port.interfaces[0]);
    const { vpcId } = port;
    if (!port.own || port.role !== "uplink" || vpcId === undefined || ofport === undefined) return;
    const onExchange = port.bridge === names.exchange;
    (onExchange ? this.#downlinks : this.#uplinks).set(vpcId, ofport);
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

/**
 * Who has each zone that the host's interfaces are marked with. Of two interfaces with one zone,
 * the first by its row has it.
 */
function zoneOwners({ interfaces }: Replica): Map<number, Uuid> {
  const owners = new Map<number, Uuid>();
  for (const { uuid, externalIds } of interfaces.values()) {
    const found = readZone(externalIds.get(CT_ZONE));
    if (found === undefined) continue;
    const other = owners.get(found.zone);
    if (other === undefined || uuid < other) owners.set(found.zone, uuid);
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

function ownZone(row: InterfaceRow, id: string, owners: ReadonlyMap<number, Uuid>) {
  const found = readZone(row.externalIds.get(CT_ZONE));
  return found?.owner === id && owners.get(found.zone) === row.uuid ? found.zone : undefined;
}

function collectClaims(
  views: readonly BridgeView[],
  owners: ReadonlyMap<number, Uuid>,
): Map<string, Claim[]> {
  const claims = new Map<string, Claim[]>();
  for (const { own, row, vpcId, ports } of views) {
    for (const port of own ? ports : []) {
      for (const plugged of port.interfaces) {
        const id = plugged.externalIds.get(IFACE_ID);
        if (id === undefined) continue;
        const ofport = usablePort(plugged);
        const zone = ownZone(plugged, id, owners);
        const place = { port: plugged.name, bridge: row.name, vpcId };
        const claim = { ...place, ofport, row: plugged.uuid, zone };
        claims.set(id, [...(claims.get(id) ?? []), claim]);
      }
    }
  }
  return claims;
}

/** The names on other VPCs' bridges are not for the owner of this one. */
function conflictMessage(claims: readonly Claim[], home: string | undefined): string {
  const places = claims
    .map(({ port, bridge, vpcId }) =>
      vpcId === home ? `${port} on bridge ${bridge}` : "a port on the bridge of another VPC",
    )
    .sort()
    .join(" and ");
  return `several ports claim this interface: ${places}; remove external_ids:iface-id from all but one`;
}
