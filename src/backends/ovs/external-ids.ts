/** How this installation recognises what is its own in OVSDB: `external_ids` of its rows. */

export const INSTALLATION = "patchbay-installation";
export const VPC = "patchbay-vpc";
export const ROLE = "patchbay-role";

/** The convention of libvirt, Neutron and OVN: which network interface is plugged into a port. */
export const IFACE_ID = "iface-id";

/**
 * The conntrack zones of the network interface that is plugged in, each with its id: `eni-…:7`. That
 * of the called side is older: once an interface had one zone for both.
 */
export const CT_ZONE_CALLED = "patchbay-ct-zone";
export const CT_ZONE_CALLER = "patchbay-ct-zone-caller";

/** `uplink` is either end of the patch between a VPC's bridge and the exchange. */
export type Role = "vpc" | "exchange" | "uplink";

export function externalIds(
  installationId: string,
  role: Role,
  vpcId: string | undefined,
): ReadonlyMap<string, string> {
  const ids = new Map([
    [INSTALLATION, installationId],
    [ROLE, role],
  ]);
  if (vpcId !== undefined) ids.set(VPC, vpcId);
  return ids;
}

/**
 * The lock in OVSDB that the daemon of an installation holds while it works: an `<id>` of RFC 7047,
 * letters, digits and underscores.
 */
export function serviceLock(installationId: string): string {
  return `patchbay_${installationId.replaceAll(/[^A-Za-z0-9]/g, "")}`;
}
