import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../../src/domain/ids.js";
import { SYSTEM } from "../../../src/domain/resources.js";
import { recordChanges } from "../../../src/store/change.js";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

const MOST_BYTES = 1024 * 1024;
/** The braces, names and cursor around the items. */
const ENVELOPE_BYTES = 512;
const VPCS = 30;
const EVENTS = 150;
/** In JSON, with its keys, some 50 KB. */
const LARGE_TAGS = Object.fromEntries(
  Array.from({ length: 50 }, (_, i) => [`tag ${i}`, "€".repeat(256)]),
);
/** As long as what is told of a bridge on which many flows were altered. */
const LONG_TEXT = "table=0, priority=100, actions=drop; ".repeat(400);

describe.each(databaseEngines)("pages of what is large, on $name", (engine) => {
  let api: TestApi;
  let key: TenantKey;
  const vpcIds: string[] = [];

  beforeAll(async () => {
    api = await startTestApi(engine, { sweeping: false });
    key = await api.createTenantWithKey("admin");
    for (let i = 0; i < VPCS; i += 1) vpcIds.push(newId("vpc"));
    const { tenantId } = key;
    const data = vpcIds.map((id) => ({ id, tenantId, tags: LARGE_TAGS, generation: 1 }));
    await api.context.db.vpc.createMany({ data });
    await recordEvents();
  });
  afterAll(() => api.stop());

  async function recordEvents(): Promise<void> {
    const { tenantId } = key;
    const told = { actor: SYSTEM, resourceType: "route", resourceId: "rtb-1", tenantId } as const;
    const event = { ...told, action: "withheld", before: null, after: LONG_TEXT };
    const events = Array.from({ length: EVENTS }, () => event);
    await api.context.db.$transaction((tx) => recordChanges(tx, events));
  }

  /** Answers each page of a list, having checked how large it is. */
  async function* pagesOf(path: string, next: (body: { [name: string]: unknown }) => string) {
    for (let query: string = "limit=1000"; query !== ""; ) {
      const { status, body } = await api.call(key.token, "GET", `${path}?${query}`);
      expect(status).toBe(200);
      const bytes = Buffer.byteLength(JSON.stringify(body));
      expect(bytes).toBeLessThanOrEqual(MOST_BYTES + ENVELOPE_BYTES);
      yield body;
      query = next(body);
    }
  }

  test("a list has every item once, on more pages than it has thousands", async () => {
    const pages = pagesOf("/v1/vpcs", ({ nextCursor }) => {
      return nextCursor === null ? "" : `limit=1000&cursor=${nextCursor}`;
    });
    const lengths: number[] = [];
    const seen: string[] = [];
    for await (const { items } of pages) {
      lengths.push(items.length);
      seen.push(...items.map(({ id }: { id: string }) => id));
    }
    expect(seen).toEqual(vpcIds);
    expect(lengths.length).toBeGreaterThan(1);
    expect(Math.min(...lengths)).toBeGreaterThan(0);
  });

  test("so has the list of events", async () => {
    const pages = pagesOf("/v1/events", ({ items, nextAfter }) => {
      return (items as unknown[]).length === 0 ? "" : `limit=1000&after=${nextAfter}`;
    });
    const lengths: number[] = [];
    const seen: number[] = [];
    for await (const { items } of pages) {
      lengths.push(items.length);
      seen.push(...items.map(({ id }: { id: number }) => id));
    }
    const ids = await api.context.db.event.findMany({
      where: { tenantId: key.tenantId },
      select: { id: true },
      orderBy: { id: "asc" },
    });
    expect(seen).toEqual(ids.map(({ id }) => Number(id)));
    // The last page is empty.
    expect(lengths.length).toBeGreaterThan(2);
  });
});
