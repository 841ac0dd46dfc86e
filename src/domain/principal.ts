import { DomainError } from "./errors.js";
import type { IdempotencyClaim } from "./idempotency.js";
import type { Permission, Role } from "./permissions.js";
import type { Turn } from "./turn.js";

/** Who is calling. `tenantId` is null for the platform operator, who sees every tenant. */
export interface Principal {
  readonly tenantId: string | null;
  /** Absent for the operator's own token. */
  readonly accessKeyId?: string;
  readonly roles: readonly Role[];
  readonly permissions: ReadonlySet<Permission>;
  /** Set while a call with an idempotency key is under way. */
  readonly claim?: IdempotencyClaim;
  /** Set while a call is under way that has to wait for its turn. */
  readonly turn?: Turn;
}

/** @throws DomainError `Forbidden` naming the permission */
export function requirePermission(principal: Principal, permission: Permission): void {
  if (!principal.permissions.has(permission)) {
    throw new DomainError("Forbidden", `this credential lacks the permission ${permission}`);
  }
}

/** Whether resources of `tenantId` exist as far as this principal is concerned. */
export function maySee(principal: Principal, tenantId: string): boolean {
  return principal.tenantId === null || principal.tenantId === tenantId;
}

/**
 * The tenant whose network a principal changes.
 * @throws DomainError `Forbidden` for the operator, who changes no tenant's network
 */
export function ownTenant(principal: Principal): string {
  if (principal.tenantId === null) {
    throw new DomainError("Forbidden", OPERATOR_LOOKS_ON);
  }
  return principal.tenantId;
}

const OPERATOR_LOOKS_ON =
  "the platform operator changes no tenant's network; use an access key of the tenant";
