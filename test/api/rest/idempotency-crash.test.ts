import pg from "pg";
import { afterEach, expect, test } from "vitest";
import { databaseEngines } from "../../support/databases.js";
import { DaemonNursery } from "../daemon/process.js";

const LIMIT_MS = 120_000;
const MOST_LIVES = 8;
const CALLS_A_LIFE = 30;
const COMMITS_BEFORE_DEATH = 8;

const nursery = new DaemonNursery();
afterEach(() => nursery.clear());

interface Reply {
  readonly status: number;
  readonly body: { readonly id: string; readonly token: string; readonly name: string };
}

async function post(url: string, token: string, body: object, key?: string): Promise<Reply> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      connection: "close",
      ...(key !== undefined && { "idempotency-key": key }),
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Reply["body"] };
}

/** Looks into the daemon's database while it lives and when it is dead. */
async function openWindow(databaseUrl: string | undefined) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const count = async (from: string): Promise<number> => {
    const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${from}`);
    return rows[0]?.n ?? 0;
  };
  return {
    vpcs: () => count("vpc"),
    unanswered: () => count("idempotency_key WHERE answer IS NULL AND resource_id IS NOT NULL"),
    close: () => client.end(),
  };
}

test(
  "calls repeated after kill -9 are made once each, and answered as before",
  async () => {
    const [engine] = databaseEngines.filter(({ name }) => name === "postgres");
    const database = await engine?.fresh();
    const window = await openWindow(database?.databaseUrl);
    const dir = await nursery.unusedDataDir();
    const environment = {
      PATCHBAY_DATA_DIR: dir.path,
      PATCHBAY_RATE_LIMIT_PER_SECOND: "0",
      DATABASE_URL: database?.databaseUrl ?? "",
    };
    let daemon = nursery.spawn(environment);
    let url = await daemon.listening;
    const operator = await dir.operatorToken();
    const { id } = (await post(`${url}/v1/tenants`, operator, { name: "t" })).body;
    const keys = `${url}/v1/tenants/${id}/access-keys`;
    const { token } = (await post(keys, operator, { roles: ["admin"] })).body;
    const create = (name: string) =>
      post(`${url}/v1/vpcs`, token, { cidrBlock: "10.0.0.0/16", name }, name);

    const expected = new Map<string, string>();
    let unanswered = 0;
    // Until a death has come between a commit and its answer.
    for (let life = 0; life < MOST_LIVES && unanswered === 0; life += 1) {
      const names = Array.from({ length: CALLS_A_LIFE }, (_, i) => `${life}-${i}`);
      const answered = new Map<string, string>();
      const calls = names.map(async (name) => answered.set(name, (await create(name)).body.id));
      while ((await window.vpcs()) < expected.size + COMMITS_BEFORE_DEATH);
      daemon.signal("SIGKILL", "group");
      await Promise.allSettled(calls);
      expect(await daemon.ended).toBe("SIGKILL");
      unanswered = await window.unanswered();

      daemon = nursery.spawn(environment);
      url = await daemon.listening;
      for (const name of names) {
        const { status, body } = await create(name);
        expect({ status, name: body.name }).toEqual({ status: 201, name });
        expect(body.id).toBe(answered.get(name) ?? body.id);
        expected.set(name, body.id);
      }
    }
    expect(unanswered).toBeGreaterThan(0);
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/v1/vpcs?limit=1000`, { headers });
    const { items } = (await response.json()) as { items: Array<{ name: string; id: string }> };
    expect(items.map((vpc) => vpc.name).sort()).toEqual([...expected.keys()].sort());
    for (const vpc of items) expect(vpc.id).toBe(expected.get(vpc.name));
    await window.close();
    await database?.cleanup();
  },
  LIMIT_MS,
);
