import pg from "pg";
import type { PostgresServer } from "../../support/postgres.js";
import { pace } from "../time.js";
import type { DatabaseKind, World } from "../world.js";
import { type Fault, type Heal, nothingToHeal, RECOVERY_MS } from "./fault.js";

const databases: readonly DatabaseKind[] = ["PostgreSQL"];

function serverOf({ postgres }: World): PostgresServer {
  if (postgres === undefined) throw new Error("the daemon does not use PostgreSQL");
  return postgres;
}

/** Ends all sessions in a database but one's own. */
function drop(name: string): string {
  return `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = '${name}' AND pid <> pg_backend_pid()`;
}

function nameOf({ databaseUrl }: World): string {
  if (databaseUrl === undefined) throw new Error("the daemon does not use PostgreSQL");
  return new URL(databaseUrl).pathname.slice(1);
}

/** In another database of the same server: nobody may be in one that is renamed. */
async function fromBeside({ databaseUrl }: World, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: new URL("/postgres", databaseUrl).href });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** What begins it and what ends it, by the name of the database. */
type Refusal = (name: string) => { begin: readonly string[]; end: readonly string[] };

const REFUSALS: readonly Refusal[] = [
  (name) => ({
    begin: [`ALTER DATABASE "${name}" SET default_transaction_read_only = on`, drop(name)],
    end: [`ALTER DATABASE "${name}" RESET default_transaction_read_only`, drop(name)],
  }),
  (name) => ({
    begin: [
      `ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`,
      drop(name),
      `ALTER DATABASE "${name}" RENAME TO "${name}_away"`,
    ],
    end: [
      `ALTER DATABASE "${name}_away" RENAME TO "${name}"`,
      `ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`,
    ],
  }),
  (name) => ({
    begin: [`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`, drop(name)],
    end: [`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`],
  }),
];

/** Of its server processes, all that serve the daemon. */
async function stopBackends({ databaseUrl }: World): Promise<Heal> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'patchbay'",
  );
  await client.end();
  for (const { pid } of rows) process.kill(pid, "SIGSTOP");
  return async () => {
    for (const { pid } of rows) process.kill(pid, "SIGCONT");
  };
}

/** Locks the row that every change writes. */
async function holdLock({ databaseUrl }: World): Promise<Heal> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('BEGIN; SELECT 1 FROM "generation" FOR UPDATE');
  return () => client.end();
}

export const postgresFaults: readonly Fault[] = [
  {
    kind: "PostgreSQL refuses",
    databases,
    holds: [500, 2500],
    recoveryLimitMs: RECOVERY_MS,
    strike: async ({ world, random }) => {
      const { begin, end } = random.pick(REFUSALS)(nameOf(world));
      await fromBeside(world, begin);
      return () => fromBeside(world, end);
    },
  },
  {
    kind: "PostgreSQL is held up",
    databases,
    // Longer than the daemon waits for a lock, now and then.
    holds: [500, 6000],
    recoveryLimitMs: RECOVERY_MS,
    strike: ({ world, random }) => random.pick([holdLock, stopBackends])(world),
  },
  {
    kind: "drop the PostgreSQL connections",
    databases,
    holds: [0, 500],
    recoveryLimitMs: RECOVERY_MS,
    strike: async ({ world, random }) => {
      for (let times = random.between(1, 4); times > 0; times--) {
        await dropConnections(world);
        await pace(random.between(50, 300));
      }
      return nothingToHeal;
    },
  },
  {
    kind: "restart PostgreSQL",
    databases,
    holds: [0, 200],
    recoveryLimitMs: RECOVERY_MS,
    strike: async ({ world }) => {
      await serverOf(world).restart();
      return nothingToHeal;
    },
  },
  {
    kind: "kill -9 PostgreSQL",
    databases,
    holds: [0, 2500],
    recoveryLimitMs: RECOVERY_MS,
    strike: async ({ world }) => {
      await serverOf(world).kill();
      return () => serverOf(world).restart();
    },
  },
  {
    // The daemon is to restore all flows by what it remembers.
    kind: "restart ovs-vswitchd without PostgreSQL",
    databases,
    holds: [500, 3000],
    recoveryLimitMs: RECOVERY_MS,
    strike: async ({ world }) => {
      await serverOf(world).kill();
      await world.sandbox.killVswitchd("SIGKILL");
      await world.sandbox.startAgain();
      return () => serverOf(world).restart();
    },
  },
];

async function dropConnections(world: World): Promise<void> {
  await fromBeside(world, [drop(nameOf(world))]);
}
