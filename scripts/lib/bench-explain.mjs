import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaClient } from "../../dist/generated/prisma/client.js";

/**
 * The reads that `work` sends to PostgreSQL, and how the server goes about each.
 * @param {string} databaseUrl
 * @param {(client: PrismaClient) => Promise<unknown>} work
 * @returns {Promise<Array<{ sql: string, plan: string, scans: string[], ms: number }>>}
 *   `scans`: the tables that are read from end to end; `ms`: planning and execution
 */
export async function explainReads(databaseUrl, work) {
  const adapter = new PrismaPg({ connectionString: databaseUrl });
  const client = new PrismaClient({ adapter, log: [{ emit: "event", level: "query" }] });
  const queries = [];
  client.$on("query", ({ query, params }) => queries.push({ query, params }));
  try {
    await work(client);
  } finally {
    await client.$disconnect();
  }
  const reads = queries.filter(({ query }) => /^\s*SELECT/i.test(query));
  return explainAll(databaseUrl, reads);
}

async function explainAll(connectionString, reads) {
  const server = new pg.Client({ connectionString });
  await server.connect();
  try {
    const plans = [];
    for (const { query, params } of reads) plans.push(await explain(server, query, params));
    return plans;
  } finally {
    await server.end();
  }
}

async function explain(server, query, params) {
  const sql = query.replace(/ FOR UPDATE$/, "");
  const { rows } = await server.query(`EXPLAIN (ANALYZE, COSTS OFF) ${sql}`, JSON.parse(params));
  const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
  const scans = [...plan.matchAll(/Seq Scan on (\w+)/g)].map(([, table]) => table);
  const times = [...plan.matchAll(/(?:Planning|Execution) Time: ([\d.]+) ms/g)];
  return { sql: query, plan, scans, ms: times.reduce((sum, [, ms]) => sum + Number(ms), 0) };
}
