import { listPeerings } from "../../dist/services/vpc-peerings.js";
import { explainReads } from "./bench-explain.mjs";
import { inMs, median, table, timed } from "./bench-figures.mjs";
import { clear, seedEndedPeerings } from "./bench-seed.mjs";
import { bold, out } from "./terminal.mjs";

const TENANT = "100000000001";
const STORED = 100_000;
const PAGE = 100;

/** How the peerings of the tenant lie among the others, as SQL over n. */
const LAYOUTS = [
  { name: "200, the latest ones", isTheirs: `n > ${STORED - 200}` },
  { name: "1,000, spread", isTheirs: "n % 100 < 1 OR n % 100 = 51" },
  { name: "50,000, spread", isTheirs: "n % 4 < 2" },
  { name: "50,000, the latest ones", isTheirs: `n > ${STORED / 2}` },
];

/** A page of one tenant's peerings: the first, and one further on. */
export async function measurePages(bench) {
  out(bold(`A page of ${PAGE} peerings of one tenant among ${STORED.toLocaleString("en")}`));
  const heading = [
    "the tenant's peerings",
    "first page",
    "a later page",
    "at the database, at most",
  ];
  const rows = [[...heading, "full scans"]];
  for (const { name, isTheirs } of LAYOUTS) {
    const { db } = bench.context;
    await clear(db);
    await seedEndedPeerings(db, { from: 1, count: STORED, tenantId: TENANT, isTheirs });
    await db.$executeRawUnsafe("ANALYZE");
    rows.push([name, ...(await measure(bench))]);
  }
  table(rows);
}

async function measure({ context, admin, runs, databaseUrl }) {
  const caller = admin(TENANT);
  const page = (ctx, after) => listPeerings(ctx, caller, { tags: {} }, { limit: PAGE, after });
  const { next } = await page(context, 0);
  const figures = [];
  const plans = [];
  for (const after of [0, next]) {
    const times = [];
    for (let run = 0; run < runs; run += 1)
      times.push((await timed(() => page(context, after))).ms);
    figures.push(inMs(median(times)));
    if (databaseUrl === undefined) continue;
    plans.push(await explainReads(databaseUrl, (db) => page({ ...context, db }, after)));
  }
  if (databaseUrl === undefined) return [...figures, "–", "–"];
  const costs = plans.map((reads) => reads.reduce((sum, { ms }) => sum + ms, 0));
  const scans = plans.flat().flatMap((read) => read.scans);
  return [...figures, inMs(Math.max(...costs)), scans.length === 0 ? "none" : scans.join(", ")];
}
