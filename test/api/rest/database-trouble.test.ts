import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, startTestApi, type TestApi } from "../../support/api.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";

/** What the daemon's role may be given; it owns nothing. */
const ROLE = "patchbay_daemon";
const GRANTS = [
  `GRANT ALL ON SCHEMA public TO ${ROLE}`,
  `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${ROLE}`,
  `GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${ROLE}`,
];
const CUT = `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
  WHERE usename = '${ROLE}'`;
const BACK = { timeout: 15_000, interval: 50 };

interface Trouble {
  readonly name: string;
  /** By a superuser; `name` is the database's. */
  readonly begin: (database: string) => readonly string[];
  readonly end: (database: string) => readonly string[];
  /** Whether what the daemon has open goes on as before, and is to be ended. */
  readonly onlyNewSessions?: boolean;
  readonly code: string;
  /** What /readyz says that it works, and reading answers. */
  readonly reads: boolean;
}

const TROUBLES: readonly Trouble[] = [
  {
    name: "a role that may only read",
    begin: () => [`ALTER ROLE ${ROLE} SET default_transaction_read_only = on`],
    end: () => [`ALTER ROLE ${ROLE} RESET default_transaction_read_only`],
    onlyNewSessions: true,
    code: "DatabaseReadOnly",
    reads: true,
  },
  {
    name: "a table that somebody has renamed",
    begin: () => ['ALTER TABLE "vpc" RENAME TO "vpc_away"'],
    end: () => ['ALTER TABLE "vpc_away" RENAME TO "vpc"'],
    code: "DatabaseDamaged",
    reads: false,
  },
  {
    name: "a column that somebody has renamed",
    begin: () => ['ALTER TABLE "vpc" RENAME "name" TO "title"'],
    end: () => ['ALTER TABLE "vpc" RENAME "title" TO "name"'],
    code: "DatabaseDamaged",
    reads: false,
  },
  {
    name: "a schema that somebody has renamed",
    begin: () => ['ALTER SCHEMA "public" RENAME TO "elsewhere"'],
    end: () => ['ALTER SCHEMA "elsewhere" RENAME TO "public"'],
    code: "DatabaseDamaged",
    reads: false,
  },
  {
    name: "a row that is always there is gone",
    begin: () => ['CREATE TABLE kept AS TABLE "generation"', 'TRUNCATE "generation"'],
    end: () => ['INSERT INTO "generation" TABLE kept', "DROP TABLE kept"],
    code: "DatabaseDamaged",
    reads: true,
  },
  {
    name: "permission to change taken away",
    begin: () => [`REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public FROM ${ROLE}`],
    end: () => [`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${ROLE}`],
    code: "DatabaseRefused",
    reads: true,
  },
  {
    name: "all permissions taken away",
    begin: () => [`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${ROLE}`],
    end: () => [`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${ROLE}`],
    code: "DatabaseRefused",
    reads: false,
  },
  {
    name: "a role that may not log in",
    begin: () => [`ALTER ROLE ${ROLE} NOLOGIN`],
    end: () => [`ALTER ROLE ${ROLE} LOGIN`],
    onlyNewSessions: true,
    code: "DatabaseRefused",
    reads: false,
  },
  {
    name: "a role without a connection left",
    begin: () => [`ALTER ROLE ${ROLE} CONNECTION LIMIT 0`],
    end: () => [`ALTER ROLE ${ROLE} CONNECTION LIMIT -1`],
    onlyNewSessions: true,
    code: "DatabaseBusy",
    reads: false,
  },
  {
    name: "a database that is renamed",
    begin: (name) => [
      `ALTER ROLE ${ROLE} NOLOGIN`,
      CUT,
      `ALTER DATABASE "${name}" RENAME TO "${name}_away"`,
      `ALTER ROLE ${ROLE} LOGIN`,
    ],
    end: (name) => [`ALTER DATABASE "${name}_away" RENAME TO "${name}"`],
    onlyNewSessions: true,
    code: "DatabaseMissing",
    reads: false,
  },
];

async function freshPostgres() {
  const fresh = await databaseEngines.find(({ name }) => name === "postgres")?.fresh();
  const { databaseUrl } = fresh ?? {};
  if (fresh === undefined || databaseUrl === undefined) throw new Error("no PostgreSQL");
  return { ...fresh, databaseUrl };
}

describe("trouble with PostgreSQL", () => {
  let fresh: FreshDatabase & { readonly databaseUrl: string };
  let api: TestApi;
  let name: string;
  let token: string;
  let vpc: string;

  beforeAll(async () => {
    fresh = await freshPostgres();
    name = new URL(fresh.databaseUrl).pathname.slice(1);
    await run(name, [`CREATE ROLE ${ROLE} LOGIN`, ...GRANTS]);
    const databaseUrl = fresh.databaseUrl.replace("postgres@", `${ROLE}@`);
    api = await startTestApi({ name: "postgres", fresh: async () => ({ ...fresh, databaseUrl }) });
    ({ token } = await api.createTenantWithKey("admin"));
    vpc = await api.createVpc(token, "10.0.0.0/16");
  });
  afterAll(async () => {
    await api.stop();
    await run(name, [`DROP OWNED BY ${ROLE}`, `DROP ROLE ${ROLE}`]);
  });

  async function run(database: string, statements: readonly string[]): Promise<void> {
    const client = new pg.Client({ connectionString: new URL(database, fresh.databaseUrl).href });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  /** From another database: no session may be in one that is renamed. */
  function strike({ onlyNewSessions = false }: Trouble, statements: readonly string[]) {
    return onlyNewSessions ? run("postgres", [...statements, CUT]) : run(name, statements);
  }

  function read(): Promise<Answer> {
    return api.call(token, "GET", `/v1/vpcs/${vpc}`);
  }

  function write(headers: Record<string, string> = {}): Promise<Answer> {
    return api.call(token, "PATCH", `/v1/vpcs/${vpc}`, { name: "named" }, { headers });
  }

  async function readiness() {
    const { status, body } = await api.call(undefined, "GET", "/readyz");
    const ok = (check: string) =>
      body.checks.find((each: { name: string }) => each.name === check).ok;
    return { status, reads: ok("database reads"), writes: ok("database writes") };
  }

  test.each(TROUBLES)("$name: $code, and all is well afterwards", async (trouble) => {
    const { code, reads } = trouble;
    await strike(trouble, trouble.begin(name));
    try {
      await expect.poll(readiness, BACK).toEqual({ status: 503, reads, writes: false });
      const refused = [await write(), await write({ "idempotency-key": `key-${code}` })];
      if (reads) expect((await read()).status).toBe(200);
      else refused.push(await read());
      for (const { status, body, headers } of refused) {
        expect({ status, code: body.code }).toEqual({ status: 503, code });
        expect(Number(headers["retry-after"])).toBeGreaterThan(0);
        expect(JSON.stringify(body)).not.toMatch(/postgres|prisma|SELECT|relation|role|127\.0\.0/i);
      }
    } finally {
      await strike(trouble, trouble.end(name));
    }
    await expect.poll(readiness, BACK).toEqual({ status: 200, reads: true, writes: true });
    expect((await write()).status).toBe(200);
    expect((await read()).status).toBe(200);
  });
});
