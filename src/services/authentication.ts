import { DomainError } from "../domain/errors.js";
import { ACCESS_KEY_ID_PATTERN } from "../domain/ids.js";
import { permissionsOf } from "../domain/permissions.js";
import type { Principal } from "../domain/principal.js";
import type { Actor } from "../domain/resources.js";
import type { ServiceContext } from "./context.js";

/** A bearer token of an access key: its id, a dot, its secret. */
export function formatToken(keyId: string, secret: string): string {
  return `${keyId}.${secret}`;
}

/**
 * @throws DomainError `Unauthenticated`, the same for every reason; `ServiceUnavailable` when what
 *   is known of the key is in doubt and cannot be read
 */
export async function authenticate(ctx: ServiceContext, token: string): Promise<Principal> {
  if (ctx.operatorToken.isHeldBy(token)) return OPERATOR;
  const dot = token.indexOf(".");
  const id = token.slice(0, Math.max(dot, 0));
  if (!ACCESS_KEY_ID_PATTERN.test(id)) throw refused();
  const key = await ctx.credentials.holder(id, token.slice(dot + 1));
  if (key === undefined) throw refused();
  ctx.keyUses.note(id, ctx.clock());
  const { tenantId, roles, permissions } = key;
  return { tenantId, roles, permissions, accessKeyId: id };
}

const OPERATOR: Principal = {
  tenantId: null,
  roles: ["operator"],
  permissions: new Set(permissionsOf(["operator"])),
};

export function actorOf(caller: Principal): Actor {
  return {
    kind: caller.tenantId === null ? "operator" : "access-key",
    tenantId: caller.tenantId,
    accessKeyId: caller.accessKeyId ?? null,
    ...(caller.claim !== undefined && { claim: caller.claim }),
  };
}

function refused(): DomainError {
  return new DomainError("Unauthenticated", "the request carries no valid credential");
}
