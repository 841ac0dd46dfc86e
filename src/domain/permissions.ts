const VERBS = ["create", "read", "update", "delete"] as const;
const crud = <R extends string>(resource: R) => VERBS.map((verb) => `${resource}:${verb}` as const);

/** Every permission that a route may ask for. */
export const PERMISSIONS = [
  ...crud("vpc"),
  ...crud("subnet"),
  ...crud("network_interface"),
  ...crud("route_table"),
  ...crud("security_group"),
  ...crud("vpc_peering"),
  "vpc_peering:accept",
  "event:read",
  ...crud("access_key"),
  ...crud("tenant"),
  "data_plane:read",
  "data_plane:reconcile",
] as const;

export type Permission = (typeof PERMISSIONS)[number];
export type PermissionPattern = Permission | `${string}:*` | "*";

export const TENANT_ROLES = ["viewer", "network-admin", "admin"] as const;
export type TenantRole = (typeof TENANT_ROLES)[number];
export type Role = TenantRole | "operator";

const NETWORK = [
  "vpc",
  "subnet",
  "network_interface",
  "route_table",
  "security_group",
  "vpc_peering",
] as const;
/** What belongs to the platform and not to a tenant, although a tenant is a row in it. */
const PLATFORM = ["tenant", "data_plane"] as const;

const reads = PERMISSIONS.filter((permission) => permission.endsWith(":read"));
const tenantReads = reads.filter((permission) => !isOf(PLATFORM, permission));
const networkPatterns = NETWORK.map((resource) => `${resource}:*` as const);

/** What each role may do: in its tenant, or for the operator in every tenant. */
export const ROLE_PERMISSIONS: Record<Role, readonly PermissionPattern[]> = {
  viewer: tenantReads,
  "network-admin": networkPatterns,
  admin: [...networkPatterns, "event:read", "access_key:*"],
  operator: [...reads, "tenant:*", "access_key:*", "data_plane:*"],
};

/** The concrete permissions of a set of roles, wildcards expanded, in the order of PERMISSIONS. */
export function permissionsOf(roles: readonly Role[]): Permission[] {
  const patterns = roles.flatMap((role) => ROLE_PERMISSIONS[role]);
  return PERMISSIONS.filter((permission) => patterns.some((p) => covers(p, permission)));
}

/** Whether `pattern` grants `permission`; `resource:*` and `*` are wildcards. */
export function covers(pattern: PermissionPattern, permission: Permission): boolean {
  if (pattern === "*" || pattern === permission) return true;
  return pattern.endsWith(":*") && permission.startsWith(pattern.slice(0, -1));
}

/** Whether somebody with `own` roles may hand out `wanted` without giving more than they have. */
export function mayGrant(own: readonly Role[], wanted: readonly Role[]): boolean {
  const held = new Set(permissionsOf(own));
  return permissionsOf(wanted).every((permission) => held.has(permission));
}

function isOf(resources: readonly string[], permission: Permission): boolean {
  return resources.some((resource) => permission.startsWith(`${resource}:`));
}
