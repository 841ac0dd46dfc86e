import { acceptPeering } from "../../dist/services/vpc-peerings.js";
import { inMs, timed } from "./bench-figures.mjs";
import { clear, seededId, seedPeerings, seedVpcs } from "./bench-seed.mjs";
import { bold, out } from "./terminal.mjs";

const HUB_TENANT = "100000000001";
const PEER_TENANT = "100000000002";
const HUB = 1;
const FIRST_PEER = 1000;
const ACCEPTS = 500;

/** Every accept adds a route to the hub's main table; a destination stands there once. */
const CASES = [
  {
    name: "all for the same block",
    blockSql: "'11.0.0.0/16'",
    expected: { provisioning: 1, RouteAlreadyExists: ACCEPTS - 1 },
  },
  {
    name: "for 50 blocks, 10 each",
    blockSql: "'11.' || n % 50 || '.0.0/16'",
    expected: { provisioning: 50, RouteAlreadyExists: ACCEPTS - 50 },
  },
  {
    name: "for 500 blocks, quota 125",
    blockSql: `'11.' || (n - ${FIRST_PEER}) / 16 || '.' || (n - ${FIRST_PEER}) % 16 * 16 || '.0/20'`,
    expected: {
      provisioning: 125,
      ActiveVpcPeeringConnectionPerVpcLimitExceeded: ACCEPTS - 125,
    },
  },
];

/** One hub accepts many requests at once. */
export async function measureConflicts(bench) {
  out(bold(`${ACCEPTS} accepts at once, one hub, autoRoutes`));
  for (const { name, blockSql, expected } of CASES) {
    await seed(bench.context.db, blockSql);
    const { value: found, ms } = await timed(() => acceptAll(bench));
    const right = await isRight(bench.context.db, found, expected);
    const counts = Object.entries(found).map(([what, count]) => `${count} ${what}`);
    out(`  ${name.padEnd(26)} ${counts.join(", ")}; ${inMs(ms)}: ${right ? "right" : "WRONG"}`);
    if (!right) throw new Error(`expected ${JSON.stringify(expected)}`);
  }
  out();
}

async function seed(db, blockSql) {
  await clear(db);
  for (const id of [HUB_TENANT, PEER_TENANT])
    await db.tenant.create({ data: { id, name: "bench" } });
  const [from, to] = [FIRST_PEER, FIRST_PEER + ACCEPTS - 1];
  const hub = { tenantId: HUB_TENANT, from: HUB, to: HUB, blockSql: "'10.0.0.0/16'" };
  await seedVpcs(db, { ...hub, blocks: 1 });
  await seedVpcs(db, { tenantId: PEER_TENANT, from, to, blocks: 1, blockSql });
  const tenants = { tenantId: PEER_TENANT, peerTenantId: HUB_TENANT };
  await seedPeerings(db, { hub: HUB, from, to, state: "pending-acceptance", ...tenants });
  await db.$executeRawUnsafe("ANALYZE");
}

async function acceptAll({ context, admin }) {
  const caller = admin(HUB_TENANT);
  const ids = Array.from({ length: ACCEPTS }, (_, i) => seededId("peering", FIRST_PEER + i));
  const outcomes = await Promise.all(
    ids.map((id) =>
      acceptPeering(context, caller, id, {}, 0).then(
        ({ state }) => state,
        (error) => error.code ?? error.message,
      ),
    ),
  );
  const counts = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** The answers are the expected ones, and what is stored agrees with them. */
async function isRight(db, found, expected) {
  const live = await db.vpcPeering.count({ where: { state: "provisioning" } });
  const pending = await db.vpcPeering.count({ where: { state: "pending-acceptance" } });
  const routes = await db.route.count({ where: { routeTableId: seededId("routeTable", HUB) } });
  const winners = expected.provisioning;
  const stored = live === winners && pending === ACCEPTS - winners && routes === winners;
  const kinds = Object.keys({ ...found, ...expected });
  return stored && kinds.every((kind) => found[kind] === expected[kind]);
}
