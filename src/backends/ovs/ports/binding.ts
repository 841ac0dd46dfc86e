import type { Binding } from "../../../domain/data-plane.js";
import type { Claim, Topology } from "../topology.js";

/** What is to be known of the ports of a switch beside the rows of its database. */
export interface PortWatch {
  /** Why the port of a claim carries no packets; undefined when it does, as far as known. */
  troubleOf(claim: Claim): string | undefined;
}

/**
 * Where an interface is plugged in, in words for its owner.
 * @param home the VPC that the interface belongs to, undefined when that is not known
 */
export function bindingOf(
  { claims }: Pick<Topology, "claims">,
  networkInterfaceId: string,
  home: string | undefined,
  ports: PortWatch,
): Binding {
  const [claim, ...others] = claims.get(networkInterfaceId) ?? [];
  if (claim === undefined) return { kind: "unbound" };
  if (others.length > 0) {
    return { kind: "conflict", message: conflictMessage([claim, ...others], home) };
  }
  if (home !== undefined && claim.vpcId !== home) return { kind: "conflict", message: ASTRAY };
  if (isAwaited(claim)) {
    return { kind: "unbound", message: `${placeOf(claim)} has not been opened by the switch yet` };
  }
  const trouble = ports.troubleOf(claim);
  if (trouble === undefined) return { kind: "bound", port: claim.port };
  const message = `${placeOf(claim)} carries no packets: ${trouble}`;
  return { kind: "dead", port: claim.port, message };
}

/** A port that was just added: the switch has said neither yes nor no. */
function isAwaited({ plugged }: Claim): boolean {
  return plugged.ofport === undefined && plugged.error === undefined;
}

function placeOf({ port, bridge }: Claim): string {
  return `port ${port} on bridge ${bridge}`;
}

/** The names on other VPCs' bridges are not for the owner of this one. */
const ASTRAY =
  "a port on the bridge of another VPC claims this interface; it can only be plugged into its own VPC's";

function conflictMessage(claims: readonly Claim[], home: string | undefined): string {
  const places = claims
    .map((claim) =>
      claim.vpcId === home
        ? `${claim.port} on bridge ${claim.bridge}`
        : "a port on the bridge of another VPC",
    )
    .sort()
    .join(" and ");
  return `several ports claim this interface: ${places}; remove external_ids:iface-id from all but one`;
}
