import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { EventRetention } from "../../../src/domain/retention.js";
import { removeOldEvents } from "../../../src/services/event-retention.js";
import { findEventRange } from "../../../src/store/events.js";
import { TestClock } from "../../support/clock.js";
import { databaseEngines } from "../../support/databases.js";
import { type CountingDatabase, openCounting, write } from "./tail-fixture.js";

const DAY_MS = 86_400_000;
const MANY = { days: 36_500, count: 1_000_000 };

describe.each(databaseEngines)("the retention of events on $name", (engine) => {
  let counting: CountingDatabase;
  let clock: TestClock;

  beforeAll(async () => {
    counting = await openCounting(engine);
  });
  afterAll(() => counting.close());
  beforeEach(async () => {
    clock = new TestClock();
    await counting.db.event.deleteMany();
    await counting.db.eventRemoval.deleteMany();
  });

  const sweep = (eventRetention: EventRetention) =>
    removeOldEvents({ db: counting.db, clock: clock.read, eventRetention });

  async function kept(): Promise<number[]> {
    const rows = await counting.db.event.findMany({ orderBy: { id: "asc" } });
    return rows.map(({ id }) => Number(id));
  }

  /** An event of so many days ago. */
  async function writeOf(daysAgo: number, tenantId = "a"): Promise<number> {
    const id = await write(counting.db, tenantId);
    const time = new Date(clock.read().getTime() - daysAgo * DAY_MS);
    await counting.db.event.update({ where: { id }, data: { time } });
    return id;
  }

  test("ends with their age", async () => {
    await writeOf(92);
    await writeOf(91);
    const younger = [await writeOf(89), await writeOf(0)];
    expect(await sweep({ ...MANY, days: 90 })).toBe(2);
    expect(await kept()).toEqual(younger);
    expect(await sweep({ ...MANY, days: 90 })).toBe(0);
    clock.advance(2 * DAY_MS);
    expect(await sweep({ ...MANY, days: 90 })).toBe(1);
    expect(await kept()).toEqual(younger.slice(1));
  });

  test("ends with their number, whatever their age", async () => {
    const last = await write(counting.db, "a", 30);
    expect(await sweep({ ...MANY, count: 10 })).toBe(20);
    expect(await kept()).toEqual(Array.from({ length: 10 }, (_, i) => last - 9 + i));
    await write(counting.db, "a");
    expect(await sweep({ ...MANY, count: 10 })).toBe(1);
    expect(await sweep({ ...MANY, count: 1 })).toBe(9);
    expect(await kept()).toEqual([last + 1]);
  });

  test("never leaves a gap, though times are not quite in order", async () => {
    await writeOf(100);
    const young = await writeOf(80);
    const odd = await writeOf(95);
    const last = await writeOf(79);
    expect(await sweep({ ...MANY, days: 90 })).toBe(1);
    expect(await kept()).toEqual([young, odd, last]);
  });

  test("is kept in small parts, and says to everybody how far it went", async () => {
    await write(counting.db, "a", 400);
    const ofB = await write(counting.db, "b", 1, "c");
    const last = await write(counting.db, null, 300);
    counting.forget();
    expect(await sweep({ ...MANY, count: 5 })).toBe(696);
    const deletions = counting.statements.filter((sql) => sql.includes("DELETE"));
    expect(deletions).toHaveLength(3);
    const upTo = async (tenantId: string | null) =>
      (await findEventRange(counting.db, tenantId)).removedUpTo;
    expect(await Promise.all(["a", "b", "c", "d", null].map(upTo))).toEqual([
      ofB - 1,
      ofB,
      ofB,
      0,
      last - 5,
    ]);
  });

  test("is the same when two daemons see to it at once", async () => {
    await write(counting.db, "a", 600);
    const counts = await Promise.all([1, 2, 3].map(() => sweep({ ...MANY, count: 7 })));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(593);
    expect(await kept()).toHaveLength(7);
  });
});
