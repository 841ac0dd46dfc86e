/**
 * Part of every lookup by an id that a caller gave: what is another tenant's is not found by the very
 * statement that finds what there is, so that neither what follows nor how long it takes tells it from
 * what is nobody's.
 * @param tenantId null: of every tenant
 */
export function ownedBy(tenantId: string | null): { tenantId?: string } {
  return tenantId === null ? {} : { tenantId };
}

/** The same for what is in a VPC. */
export function inVpcOf(tenantId: string | null): { vpc?: { tenantId: string } } {
  return tenantId === null ? {} : { vpc: { tenantId } };
}
