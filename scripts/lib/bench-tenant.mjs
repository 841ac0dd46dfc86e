import { OPERATOR_TOKEN } from "./bench-daemon.mjs";
import { client } from "./client.mjs";

/**
 * Makes a tenant and a key for it on a daemon that is measured.
 * @returns {Promise<{ token: string, call: Function, operator: Function }>} both as lib/client.mjs
 *   says: `call` as the tenant's administrator, `operator` as the platform's
 */
export async function makeTenant(url) {
  const operator = client(url, OPERATOR_TOKEN);
  const tenant = await operator("POST", "/tenants", { name: "bench" });
  const keys = `/tenants/${tenant.id}/access-keys`;
  const { token } = await operator("POST", keys, { roles: ["admin"] });
  return { token, call: client(url, token), operator };
}
