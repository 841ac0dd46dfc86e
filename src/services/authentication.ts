import { createHash, timingSafeEqual } from "node:crypto";
import { DomainError } from "../domain/errors.js";
import { ACCESS_KEY_ID_PATTERN } from "../domain/ids.js";
import { permissionsOf, type Role } from "../domain/permissions.js";
import type { Principal } from "../domain/principal.js";
import type { Actor } from "../domain/resources.js";
import { findCredential } from "../store/tenants.js";
import type { ServiceContext } from "./context.js";

/** A bearer token of an access key: its id, a dot, its secret. */
export function formatToken(keyId: string, secret: string): string {
  return `${keyId}.${secret}`;
}

/** @throws DomainError `Unauthenticated`, the same for every reason */
export async function authenticate(ctx: ServiceContext, token: string): Promise<Principal> {
  if (sameText(token, ctx.operatorToken)) return principal(null, ["operator"]);
  const dot = token.indexOf(".");
  const keyId = token.slice(0, Math.max(dot, 0));
  if (!ACCESS_KEY_ID_PATTERN.test(keyId)) throw refused();
  const credential = await findCredential(ctx.db, keyId);
  if (credential === null || credential.suspended) throw refused();
  const { key } = credential;
  const secret = ctx.secrets.unseal(key.encryptedSecret, key.id);
  if (!sameText(token.slice(dot + 1), secret)) throw refused();
  return principal(key.tenantId, key.roles, key.id);
}

export function actorOf(caller: Principal): Actor {
  return {
    kind: caller.tenantId === null ? "operator" : "access-key",
    tenantId: caller.tenantId,
    accessKeyId: caller.accessKeyId ?? null,
    ...(caller.claim !== undefined && { claim: caller.claim }),
  };
}

function principal(tenantId: string | null, roles: readonly Role[], keyId?: string): Principal {
  const permissions = new Set(permissionsOf(roles));
  return {
    tenantId,
    roles,
    permissions,
    ...(keyId !== undefined && { accessKeyId: keyId }),
  };
}

function refused(): DomainError {
  return new DomainError("Unauthenticated", "the request carries no valid credential");
}

/** Compares in time that depends on neither text. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
