import type { Principal } from "../../domain/principal.js";
import type { Party } from "./fair-queue.js";

/** As whom a caller takes turns: the operator is a tenant of its own. */
export function partyOf({ tenantId, accessKeyId }: Principal): Party {
  return { tenant: tenantId ?? OPERATOR, key: accessKeyId ?? OPERATOR };
}

/** No tenant's id. */
const OPERATOR = "operator";
