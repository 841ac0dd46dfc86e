import { join } from "node:path";
import { BenchDaemon, OPERATOR_TOKEN } from "../lib/bench-daemon.mjs";
import { makeEmbedded, makePostgres } from "../lib/bench-postgres.mjs";
import { client } from "../lib/client.mjs";

/** What the tenant that attacks has, as far as the daemon lets it. */
const MOST_KEYS = 60;
const VPCS = 900;
const MAKERS = 8;

/**
 * A daemon without a switch and two tenants of it.
 * @typedef {object} Neighbours
 * @property {string} engine
 * @property {string} url
 * @property {{ token: string, vpcId: string }} victim
 * @property {{ tokens: string[], vpcIds: string[] }} attacker
 */

/** @returns {Promise<Neighbours>} */
export async function startNeighbours({ postgres, rateLimit }, { signal, undo }) {
  const database = postgres ? await makePostgres() : makeEmbedded();
  if (database === undefined) throw new Error("--postgres: there is no PostgreSQL here");
  undo.add(() => database.remove());
  const daemon = new BenchDaemon(settingsFor(database, rateLimit), signal);
  undo.add(() => daemon.stop());
  const url = await daemon.start();
  const operator = client(url, OPERATOR_TOKEN);
  const [victim] = await makeTenant(operator, 1);
  const call = client(url, victim);
  const { id: vpcId } = await call("POST", "/vpcs", { cidrBlock: "10.0.0.0/16" });
  const tokens = await makeTenant(operator, MOST_KEYS);
  const vpcIds = await makeVpcs(tokens.map((token) => client(url, token)));
  return {
    engine: database.engine,
    url,
    victim: { token: victim, vpcId },
    attacker: { tokens, vpcIds },
  };
}

function settingsFor({ databaseUrl, dataDir }, rateLimit) {
  return {
    PATCHBAY_BACKEND: "noop",
    PATCHBAY_DATA_DIR: join(dataDir, "daemon"),
    // As a daemon has them that nobody has told otherwise.
    ...(rateLimit && { PATCHBAY_RATE_LIMIT_PER_SECOND: "" }),
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
  };
}

/** @returns {Promise<string[]>} tokens of a new tenant, as many as wanted or as it may have */
async function makeTenant(operator, keys) {
  const { id } = await operator("POST", "/tenants", { name: "bench" });
  const tokens = [];
  while (tokens.length < keys) {
    try {
      const key = await operator("POST", `/tenants/${id}/access-keys`, { roles: ["admin"] });
      tokens.push(key.token);
    } catch (error) {
      if (error.status !== 409 || tokens.length === 0) throw error;
      return tokens;
    }
  }
  return tokens;
}

/** A few at a time, so that no limit of rates is met. */
async function makeVpcs(callers) {
  const ids = [];
  const make = async (call) => {
    while (ids.length < VPCS) {
      const at = ids.push(undefined) - 1;
      const body = {
        cidrBlock: `10.${at % 256}.0.0/16`,
        name: `network ${at}`,
        tags: { at: `${at}` },
      };
      ids[at] = (await call("POST", "/vpcs", body)).id;
    }
  };
  await Promise.all(callers.slice(0, MAKERS).map(make));
  return ids;
}
