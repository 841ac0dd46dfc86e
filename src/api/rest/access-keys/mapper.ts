import type { z } from "zod";
import type { AccessKey } from "../../../domain/resources.js";
import type { IssuedAccessKey } from "../../../services/access-keys.js";
import type { accessKeySchema, issuedAccessKeySchema } from "./schema.js";

export function presentAccessKey(key: AccessKey): z.output<typeof accessKeySchema> {
  const { id, tenantId, name, roles, createdAt, lastUsedAt } = key;
  return {
    id,
    tenantId,
    name,
    roles: [...roles],
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}

/** The only place where a secret leaves the daemon. */
export function presentIssuedAccessKey(
  issued: IssuedAccessKey,
): z.output<typeof issuedAccessKeySchema> {
  const { key, secret, token } = issued;
  return { ...presentAccessKey(key), secret, token };
}
