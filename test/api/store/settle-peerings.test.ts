import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PrismaClient } from "../../../src/generated/prisma/client.js";
import { type Database, openDatabase } from "../../../src/store/database/open.js";
import { settlePeerings } from "../../../src/store/settle-peerings.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import { recordingLog } from "../../support/log.js";

const [ownTenant, otherTenant] = ["100000000001", "100000000002"];
const at = new Date("2026-01-02T03:04:05.000Z");

describe.each(databaseEngines)("peerings that the switch confirmed, on $name", (engine) => {
  let fresh: FreshDatabase;
  let database: Database;
  let db: PrismaClient;

  beforeAll(async () => {
    fresh = await engine.fresh();
    database = await openDatabase({ ...fresh, log: recordingLog() });
    db = database.client;
    await db.tenant.create({ data: { id: ownTenant, name: "test" } });
    await db.generation.updateMany({ data: { value: 40 } });
    await addPeering("a", "provisioning", ownTenant);
    await addPeering("b", "provisioning", otherTenant);
    await addPeering("c", "deleting", otherTenant, { endedByTenantId: otherTenant });
    await addPeering("d", "deleting", otherTenant, { endedByTenantId: ownTenant });
    await addPeering("moved-on", "deleting", ownTenant);
    const removed = ["c", "d"];
    const installed = ["b", "a", "moved-on"];
    await settlePeerings(db, { installed, removed }, at);
  });

  afterAll(async () => {
    await database.close();
    await fresh.cleanup();
  });

  async function addPeering(id: string, state: string, accepterTenantId: string, more = {}) {
    const ends = { requesterVpcId: `${id}-left`, accepterVpcId: `${id}-right` };
    const blocks = { requesterBlocks: [], accepterBlocks: [] };
    const common = { statusMessage: "", generation: 7, expiresAt: at, ...ends, ...blocks };
    const data = { id, state, requesterTenantId: ownTenant, accepterTenantId, ...common, ...more };
    await db.vpcPeering.create({ data });
  }

  it("moves all of them on, and leaves the generation of each", async () => {
    const rows = await db.vpcPeering.findMany({ orderBy: { number: "asc" } });
    expect(rows.map(({ id, state }) => [id, state])).toEqual([
      ["a", "active"],
      ["b", "active"],
      ["c", "deleted"],
      ["d", "deleted"],
      ["moved-on", "deleting"],
    ]);
    expect(rows.map(({ generation }) => generation)).toEqual(Array(5).fill(7n));
    expect(rows[0]).toMatchObject({ activatedAt: at, endedAt: null, statusMessage: "Active" });
    expect(rows[2]).toMatchObject({ activatedAt: null, endedAt: at, statusMessage: "Deleted" });
  });

  it("hides each side's at its own time, by who ended the peering", async () => {
    const c = await db.vpcPeering.findUniqueOrThrow({ where: { id: "c" } });
    const d = await db.vpcPeering.findUniqueOrThrow({ where: { id: "d" } });
    expect(c.requesterHiddenAt).not.toEqual(c.accepterHiddenAt);
    expect(d.requesterHiddenAt).toEqual(c.accepterHiddenAt);
    expect(d.accepterHiddenAt).toEqual(c.requesterHiddenAt);
  });

  it("tells of each once, under consecutive generations", async () => {
    const events = await db.event.findMany({ orderBy: { id: "asc" } });
    expect(
      events.map((event) => [event.id, event.resourceId, event.action, event.before, event.after]),
    ).toEqual([
      [41n, "a", "activate", "provisioning", "active"],
      [42n, "b", "activate", "provisioning", "active"],
      [43n, "c", "finish-delete", "deleting", "deleted"],
      [44n, "d", "finish-delete", "deleting", "deleted"],
    ]);
    expect(events.map(({ otherTenantId }) => otherTenantId)).toEqual([
      null,
      ...Array(3).fill(otherTenant),
    ]);
    const { value } = await db.generation.findFirstOrThrow();
    expect(value).toBe(44n);
  });
});
