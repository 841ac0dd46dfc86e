import { createHash } from "node:crypto";
import { type Permission, permissionsOf, type TenantRole } from "../../domain/permissions.js";
import type { PrismaClient } from "../../generated/prisma/client.js";
import { findSuspendedTenants, readSecrets, type StoredSecret } from "../../store/credentials.js";
import type { SecretBox } from "../secrets.js";

/** What is remembered of an access key: enough to recognise who holds it, and no secret. */
export interface KnownKey {
  readonly tenantId: string;
  readonly roles: readonly TenantRole[];
  readonly permissions: ReadonlySet<Permission>;
  /** SHA-256 of the secret, which is random and long. */
  readonly digest: Buffer;
}

export function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** All access keys and all suspended tenants, as they are stored. */
export class Known {
  readonly keys = new Map<string, KnownKey>();
  readonly suspended = new Set<string>();
  /** How many keys are left out because their secrets cannot be unsealed. */
  unreadable = 0;
  readonly #secrets: SecretBox;
  /** The keys of a few combinations of roles share what these allow. */
  readonly #permissions = new Map<string, ReadonlySet<Permission>>();

  constructor(secrets: SecretBox) {
    this.#secrets = secrets;
  }

  static async read(db: PrismaClient, secrets: SecretBox): Promise<Known> {
    const known = new Known(secrets);
    for (const id of await findSuspendedTenants(db)) known.suspended.add(id);
    for await (const slice of readSecrets(db)) {
      for (const stored of slice) known.setKey(stored.id, stored);
    }
    return known;
  }

  setKey(id: string, stored: StoredSecret | undefined): void {
    const key = stored && this.#toKey(stored);
    if (key === undefined) this.keys.delete(id);
    else this.keys.set(id, key);
  }

  /** @param isSuspended undefined: there is no such tenant, and no key of it any more */
  setTenant(id: string, isSuspended: boolean | undefined): void {
    if (isSuspended === true) this.suspended.add(id);
    else this.suspended.delete(id);
    if (isSuspended !== undefined) return;
    for (const [keyId, key] of this.keys) if (key.tenantId === id) this.keys.delete(keyId);
  }

  #toKey({ id, tenantId, roles, encryptedSecret }: StoredSecret): KnownKey | undefined {
    const secret = this.#unsealed(encryptedSecret, id);
    if (secret === undefined) return undefined;
    return { tenantId, roles, permissions: this.#permissionsOf(roles), digest: digestOf(secret) };
  }

  #unsealed(sealed: Uint8Array, id: string): string | undefined {
    try {
      return this.#secrets.unseal(sealed, id);
    } catch {
      // Altered, or sealed for another key: nobody holds a secret that would fit.
      this.unreadable += 1;
      return undefined;
    }
  }

  #permissionsOf(roles: readonly TenantRole[]): ReadonlySet<Permission> {
    const name = roles.join();
    const permissions = this.#permissions.get(name) ?? new Set(permissionsOf(roles));
    this.#permissions.set(name, permissions);
    return permissions;
  }
}
