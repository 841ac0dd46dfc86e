import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PrismaClient } from "../../../src/generated/prisma/client.js";
import { type Database, openDatabase } from "../../../src/store/database/open.js";
import { removePeerings } from "../../../src/store/due-peerings.js";
import { loadIntent } from "../../../src/store/intent-snapshot.js";
import { findLargeGroups, findPeersNaming } from "../../../src/store/large-groups.js";
import { settleStates } from "../../../src/store/peering-transitions.js";
import { findVpcsReferringTo } from "../../../src/store/security-group-rules.js";
import { findGroupsOf } from "../../../src/store/security-groups.js";
import { settlePeerings } from "../../../src/store/settle-peerings.js";
import {
  countMostLivePeerings,
  findLivePeerings,
  findPeering,
  findPeeringsIn,
  findPendingPeerings,
  recordBlocks,
} from "../../../src/store/vpc-peerings.js";
import { lockVpcs, touchVpcs } from "../../../src/store/vpcs.js";
import { findWithheldRoutes } from "../../../src/store/withheld-routes.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import { recordingLog } from "../../support/log.js";

const at = new Date("2026-01-02T03:04:05.000Z");

/** More than one statement takes as parameters, with what is there in the last place. */
const MANY = 33_000;
const IDS = [...Array.from({ length: MANY }, (_, i) => `none-${i}`), "the-last"];

type Work = (db: PrismaClient) => Promise<unknown>;

const WORKS: Record<string, Work> = {
  "peerings by id": (db) => findPeeringsIn(db, IDS, "active"),
  "live peerings of VPCs": (db) => findLivePeerings(db, IDS),
  "pending peerings of VPCs": (db) => findPendingPeerings(db, IDS),
  "most live peerings": (db) => countMostLivePeerings(db, IDS),
  "blocks of peerings": (db) => recordBlocks(db, IDS, "accepter", []),
  "locks on VPCs": (db) => lockVpcs(db, IDS),
  "generations of VPCs": (db) => touchVpcs(db, IDS, 2 ** 40),
  intent: (db) => loadIntent(db, new Set(IDS)),
  "groups of a VPC": (db) => findGroupsOf(db, "none", IDS),
  "VPCs that name groups": (db) => findVpcsReferringTo(db, IDS),
  "large groups": (db) => findLargeGroups(db, IDS, 1),
  "groups that name groups": (db) => findPeersNaming(db, IDS),
  "withheld routes": (db) => findWithheldRoutes(db, IDS),
  "removal of peerings": (db) => removePeerings(db, IDS.slice(0, -1)),
};

describe.each(databaseEngines)("sets that are larger than a statement, on $name", (engine) => {
  let fresh: FreshDatabase;
  let database: Database;
  let db: PrismaClient;

  beforeAll(async () => {
    fresh = await engine.fresh();
    database = await openDatabase({ ...fresh, log: recordingLog() });
    db = database.client;
    await db.tenant.create({ data: { id: "100000000001", name: "test" } });
    await db.vpcPeering.create({
      data: {
        ...{ id: "the-last", state: "active", statusMessage: "", generation: 7, expiresAt: at },
        ...{ requesterTenantId: "100000000001", accepterTenantId: "100000000001" },
        ...{ requesterVpcId: "left", accepterVpcId: "the-last" },
        ...{ requesterBlocks: [], accepterBlocks: ["10.0.0.0/16"] },
      },
    });
    const tenantId = "100000000001";
    await db.vpc.create({ data: { id: "the-last", tenantId, generation: 1 } });
  });

  afterAll(async () => {
    await database.close();
    await fresh.cleanup();
  });

  it.each(Object.keys(WORKS))("%s", async (name) => {
    await expect(WORKS[name]?.(db)).resolves.not.toThrow();
  });

  it("finds and changes what is in the last place", async () => {
    expect((await findPeeringsIn(db, IDS, "active")).map(({ id }) => id)).toEqual(["the-last"]);
    expect((await findLivePeerings(db, [...IDS, "left"])).map(({ id }) => id)).toEqual([
      "the-last",
    ]);
    expect([...(await lockVpcs(db, IDS)).keys()]).toEqual(["the-last"]);
    await touchVpcs(db, IDS, 2 ** 40);
    expect((await lockVpcs(db, IDS)).get("the-last")?.generation).toBe(2 ** 40);
    await recordBlocks(db, IDS, "accepter", []);
    const peering = await findPeering(db, "the-last");
    if (peering === null) throw new Error("it is gone");
    expect(peering.accepter.blocks).toEqual([]);
    const all = IDS.map((id) => ({ ...peering, id }));
    await settleStates(db, all, { to: "deleting", statusMessage: "", at });
    await settlePeerings(db, { installed: [], removed: IDS }, at);
    expect((await findPeering(db, "the-last"))?.state).toBe("deleted");
  });
});
