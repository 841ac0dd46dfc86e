import pg from "pg";
import type { PostgresServer } from "../../support/postgres.js";
import { pace } from "../time.js";
import type { DatabaseKind, World } from "../world.js";
import { type Fault, nothingToHeal, RECOVERY_MS } from "./fault.js";

const databases: readonly DatabaseKind[] = ["PostgreSQL"];

function serverOf({ postgres }: World): PostgresServer {
  if (postgres === undefined) throw new Error("the daemon does not use PostgreSQL");
  return postgres;
}

export const postgresFaults: readonly Fault[] = [
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

async function dropConnections({ databaseUrl }: World): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
        "WHERE application_name = 'patchbay' AND pid <> pg_backend_pid()",
    );
  } finally {
    await client.end();
  }
}
