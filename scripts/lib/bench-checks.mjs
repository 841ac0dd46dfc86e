import { findOverlap } from "../../dist/domain/cidr.js";
import { addCidrBlock, removeCidrBlock } from "../../dist/services/cidr-blocks.js";
import { acceptPeering, requestPeering } from "../../dist/services/vpc-peerings.js";
import { explainReads } from "./bench-explain.mjs";
import { inMs, median, table, timed } from "./bench-figures.mjs";
import { clear, seededId, seedPeerings, seedVpcs } from "./bench-seed.mjs";
import { bold, out } from "./terminal.mjs";

const HUB_TENANT = "100000000001";
const PEER_TENANT = "100000000002";
const CROWD_TENANT = "100000000003";
const HUB = 1;
const FIRST_PEER = 1000;
const FIRST_OTHER = 100_000;

/** Four blocks, so that a fifth can be added; those of the peers have five each. */
const hubBlock = "'172.' || 16 + j || '.0.0/16'";
const peerBlock = `'11.' || ((n - ${FIRST_PEER}) * 5 + j) / 16 || '.' ||
  ((n - ${FIRST_PEER}) * 5 + j) % 16 * 16 || '.0/20'`;
const otherBlock = "'10.' || n % 2 * 5 + j || '.0.0/16'";

const LIVE = [1, 100, 125];
const STORED = [200, 10_000];

/** Requests and accepts between a hub with many live peers and one VPC more. */
export async function measureChecks(bench) {
  out(bold("Overlap and quota checks: a call as a whole, VPCs of 5 blocks"));
  const rows = [["live peers", "VPCs stored", "request", "accept", "add a block"]];
  for (const stored of STORED) {
    for (const live of LIVE) {
      await seed(bench.context.db, stored, live);
      const { requests, accepts, additions } = await measure(bench, live);
      const figures = [requests, accepts, additions].map((values) => inMs(median(values)));
      rows.push([String(live), String(stored), ...figures]);
    }
  }
  table(rows);
  await showPlans(bench);
}

async function seed(db, stored, live) {
  await clear(db);
  for (const id of [HUB_TENANT, PEER_TENANT, CROWD_TENANT]) {
    await db.tenant.create({ data: { id, name: "bench" } });
  }
  const peers = { tenantId: PEER_TENANT, blocks: 5, blockSql: peerBlock };
  await seedVpcs(db, { tenantId: HUB_TENANT, from: HUB, to: HUB, blocks: 4, blockSql: hubBlock });
  await seedVpcs(db, { ...peers, from: FIRST_PEER, to: FIRST_PEER + live });
  const peerings = { state: "active", tenantId: PEER_TENANT, peerTenantId: HUB_TENANT };
  await seedPeerings(db, { ...peerings, hub: HUB, from: FIRST_PEER, to: FIRST_PEER + live - 1 });
  const crowd = { tenantId: CROWD_TENANT, from: FIRST_OTHER, to: FIRST_OTHER + stored - live - 3 };
  await seedVpcs(db, { ...crowd, blocks: 5, blockSql: otherBlock });
  await seedPeerings(db, { ...crowd, to: crowd.to - 1, state: "active", step: 2 });
  await db.$executeRawUnsafe("ANALYZE");
}

async function measure({ context, admin, runs }, live) {
  // One accept more than the quota allows: what is measured is the whole way of the call.
  const quotas = { ...context.quotas, livePeeringsPerVpc: 1000 };
  const ctx = { ...context, quotas };
  const hub = admin(HUB_TENANT);
  const times = { requests: [], accepts: [], additions: [] };
  for (let run = 0; run < runs; run += 1) {
    const { request, accept } = await peerOnce(ctx, admin, live);
    times.requests.push(request);
    times.accepts.push(accept);
  }
  for (let run = 0; run < Math.min(runs, 5); run += 1) {
    const input = { cidrBlock: "172.31.0.0/16" };
    const id = seededId("vpc", HUB);
    times.additions.push((await timed(() => addCidrBlock(ctx, hub, id, input))).ms);
    await removeCidrBlock(ctx, hub, id, input.cidrBlock);
  }
  return times;
}

/** Asks and accepts, and takes it back, so that every run finds the same. */
async function peerOnce(ctx, admin, live) {
  const asked = await timed(() =>
    requestPeering(ctx, admin(PEER_TENANT), {
      requesterVpcId: seededId("vpc", FIRST_PEER + live),
      accepterVpcId: seededId("vpc", HUB),
      accepterTenantId: HUB_TENANT,
    }),
  );
  const { id } = asked.value.peering;
  const accepted = await timed(() => acceptPeering(ctx, admin(HUB_TENANT), id, {}, 0));
  if (accepted.value.state !== "provisioning") throw new Error(`it is ${accepted.value.state}`);
  await ctx.db.route.deleteMany({ where: { vpcPeeringId: id } });
  await ctx.db.vpcPeering.delete({ where: { id } });
  return { request: asked.ms, accept: accepted.ms };
}

async function showPlans({ context, admin, databaseUrl }) {
  const live = LIVE.at(-1);
  const overlaps = await timed(async () => overlapCost(context.db, live));
  out(`  the overlap check alone, 4 blocks with 5: ${(overlaps.value * 1000).toFixed(1)} µs`);
  if (databaseUrl === undefined) return out("  (no plans: the database is embedded)\n");
  const quotas = { ...context.quotas, livePeeringsPerVpc: 1000 };
  const reads = await explainReads(databaseUrl, (db) =>
    peerOnce({ ...context, db, quotas }, admin, live),
  );
  const scans = reads.flatMap(({ scans: tables }) => tables);
  const crowded = scans.filter((name) => name.startsWith("vpc") || name.startsWith("route"));
  out(`  EXPLAIN of the ${reads.length} reads of a request and an accept, ${STORED.at(-1)} VPCs:`);
  out(`    ${crowded.length} read a table of VPCs, blocks, peerings or routes from end to end`);
  for (const { sql, plan } of reads.filter(({ sql }) => /FOR UPDATE|unnest|vpc_cidr/.test(sql))) {
    out(`    ${sql.replaceAll(/\s+/g, " ").slice(0, 96)} …`);
    for (const line of plan.split("\n").filter((text) => /Scan/.test(text)))
      out(`      ${line.trim()}`);
  }
  if (crowded.length > 0) throw new Error(`scanned from end to end: ${crowded.join(", ")}`);
  return out();
}

/** Milliseconds of one comparison of the blocks of two VPCs. */
async function overlapCost(db, live) {
  const { lockVpcs } = await import("../../dist/store/vpcs.js");
  const ids = [seededId("vpc", HUB), seededId("vpc", FIRST_PEER + live)];
  const [a, b] = [...(await lockVpcs(db, ids)).values()].map((vpc) =>
    vpc.blocks.map(({ block }) => block),
  );
  const rounds = 10_000;
  const { ms } = await timed(async () => {
    for (let i = 0; i < rounds; i += 1) if (findOverlap(a, b) !== undefined) throw new Error("?");
  });
  return ms / rounds;
}
