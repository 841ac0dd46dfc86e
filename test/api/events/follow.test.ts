import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FairQueue } from "../../../src/api/turns/fair-queue.js";
import { streamTurns } from "../../../src/api/turns/stream-turns.js";
import type { Principal } from "../../../src/domain/principal.js";
import type { ResourceEvent } from "../../../src/domain/resources.js";
import { type FollowOptions, followEvents } from "../../../src/services/streams/follow.js";
import type { Follower } from "../../../src/services/streams/follower.js";
import { EventTail, type InTurn } from "../../../src/services/streams/tail.js";
import { removeOldEvents } from "../../../src/store/events.js";
import { databaseEngines } from "../../support/databases.js";
import {
  type CountingDatabase,
  join,
  openCounting,
  quiet,
  restoreTo,
  write,
} from "./tail-fixture.js";

const NEVER = 3_600_000;
const atOnce: InTurn = (read) => read();
/** More than is kept in memory. */
const MANY = 2500;

describe.each(databaseEngines)("following events on $name", (engine) => {
  let counting: CountingDatabase;
  let tail: EventTail;
  let stop: AbortController;
  let tenants = 0;
  let me: string;
  let other: string;
  const joined: Follower[] = [];

  beforeAll(async () => {
    counting = await openCounting(engine);
  });
  afterAll(() => counting.close());
  beforeEach(() => {
    stop = new AbortController();
    tail = newTail(NEVER);
    tenants += 2;
    me = `tenant-${tenants}`;
    other = `tenant-${tenants + 1}`;
  });
  afterEach(() => {
    stop.abort();
    for (const follower of joined.splice(0)) tail.leave(follower);
  });

  const newTail = (poll: number) => new EventTail({ db: counting.db, log: quiet, poll });

  async function joins(tenantId: string | null, after?: number): Promise<Follower> {
    const follower = await join(tail, counting.db, tenantId, after);
    joined.push(follower);
    return follower;
  }

  /** As each stream has one of its own. */
  const ofAStream = () => AbortSignal.any([stop.signal]);

  function follow(follower: Follower, options: Partial<FollowOptions> = {}) {
    const { tenantId } = follower;
    const caller: Principal = { tenantId, roles: [], permissions: new Set() };
    const recheck = async () => caller;
    const signal = ofAStream();
    return followEvents(tail, follower, {
      recheck,
      signal,
      heartbeat: NEVER,
      inTurn: atOnce,
      ...options,
    });
  }

  type Batches = ReturnType<typeof follow>;

  async function take(batches: Batches, count: number): Promise<number[]> {
    const seen: number[] = [];
    while (seen.length < count) {
      const { value, done } = await batches.next();
      if (done) throw new Error(`ended after ${seen.length} events`);
      seen.push(...value.map(({ id }: ResourceEvent) => id));
    }
    return seen;
  }

  const range = (first: number, count: number) =>
    Array.from({ length: count }, (_, i) => first + i);

  test("says that nothing happened when nothing did for a while", async () => {
    const batches = follow(await joins(me), { heartbeat: 30 });
    for (let beat = 0; beat < 3; beat += 1) {
      const asked = performance.now();
      expect(await batches.next()).toEqual({ done: false, value: [] });
      expect(performance.now() - asked).toBeGreaterThanOrEqual(20);
    }
  });

  test("hands over at once what this daemon has written, without looking for it", async () => {
    const batches = follow(await joins(me));
    const next = take(batches, 2);
    const first = await write(counting.db, me);
    const second = await write(counting.db, other, 1, me);
    expect(await next).toEqual([first, second]);
  });

  test("finds what others have written when it looks", async () => {
    tail = newTail(5);
    const batches = follow(await joins(me));
    const next = take(batches, 1);
    const id = await counting.db.$transaction(async (tx) => {
      const { value } = await tx.generation.update({
        where: { singleton: true },
        data: { value: { increment: 1 } },
      });
      const what = { resourceType: "vpc", resourceId: "vpc-x", action: "update", tenantId: me };
      await tx.event.create({ data: { id: value, actorKind: "system", ...what } });
      return Number(value);
    });
    expect(await next).toEqual([id]);
  });

  test("ends when the credential is refused, and shows nothing from then on", async () => {
    const batches = follow(await joins(me), { recheck: async () => undefined });
    const next = batches.next();
    await write(counting.db, me);
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test("reads as much as there is, a part at a time, and goes on with what comes then", async () => {
    const start = (await write(counting.db, other)) + 1;
    await write(counting.db, me, MANY);
    const batches = follow(await joins(me, start - 1));
    expect(await take(batches, MANY)).toEqual(range(start, MANY));
    const next = take(batches, 1);
    const last = await write(counting.db, me);
    expect(await next).toEqual([last]);
  });

  test("is caught up where it was left behind, with nothing missing and nothing twice", async () => {
    const start = (await write(counting.db, other)) + 1;
    const slow = await joins(me);
    const batches = follow(slow);
    const witness = follow(await joins(null));
    await write(counting.db, me, MANY);
    await write(counting.db, other, MANY);
    // All of it has gone by before the slow one reads any.
    await take(witness, 2 * MANY);
    expect(await take(batches, MANY)).toEqual(range(start, MANY));
    const last = await write(counting.db, me);
    expect(await take(batches, 1)).toEqual([last]);
  });

  test("needs no statement for a stream whose tenant is quiet while others write", async () => {
    const quietOne = await joins(me);
    const batches = follow(quietOne);
    const witness = follow(await joins(null));
    await write(counting.db, other, 2 * MANY);
    await take(witness, 2 * MANY);
    expect(quietOne.bell.rung).toBe(0);
    counting.forget();
    const next = take(batches, 1);
    const id = await write(counting.db, me);
    expect(await next).toEqual([id]);
    const reads = counting.statements.filter((sql) => /^\s*SELECT/i.test(sql));
    expect(reads.some((sql) => sql.includes("other_tenant_id") && sql.includes("UNION"))).toBe(
      false,
    );
  });

  describe("many at once", () => {
    const STREAMS = 60;

    test("cost no more statements than one, whether something happens or not", async () => {
      const poll = 10;
      tail = newTail(poll);
      const followers = await Promise.all(range(0, STREAMS).map(() => joins(me)));
      const streams = followers.map((each) => follow(each, { heartbeat: 300 }));
      counting.forget();
      const began = performance.now();
      await Promise.all(streams.map((each) => each.next()));
      const idle = counting.statements.length;
      // One statement for each look of one reader; fewer when the machine is slow.
      expect(idle).toBeLessThanOrEqual((performance.now() - began) / poll + 1);
      expect(idle).toBeGreaterThan(0);
    });

    test("are all handed what one reader reads", async () => {
      const followers = await Promise.all(range(0, STREAMS).map(() => joins(me)));
      const streams = followers.map((each) => take(follow(each), 1));
      const [first = Promise.resolve([])] = streams;
      await write(counting.db, me);
      await first;
      counting.forget();
      const again = followers.map((each) => take(follow(each), 1));
      const id = await write(counting.db, me);
      for (const each of again) expect(await each).toEqual([id]);
      const reads = counting.statements.filter(isReadOfEvents);
      expect(reads.length).toBeLessThanOrEqual(1);
    });

    test("that come back with much to catch up do not hold up the others", async () => {
      const start = (await write(counting.db, other)) + 1;
      await write(counting.db, me, MANY);
      const live = follow(await joins(other));
      const storm = await Promise.all(range(0, STREAMS).map(() => joins(me, start - 1)));
      const turns = streamTurns(new FairQueue({ places: 1, waitingPerTenant: 1 }));
      const caller: Principal = { tenantId: me, roles: [], permissions: new Set() };
      let done = 0;
      const catching = storm.map(async (each) => {
        const signal = ofAStream();
        const inTurn = turns(caller, signal);
        await take(follow(each, { signal, inTurn }), MANY).catch(() => undefined);
        done += 1;
      });
      const next = take(live, 1);
      const id = await write(counting.db, other);
      expect(await next).toEqual([id]);
      expect(done).toBeLessThan(STREAMS);
      stop.abort();
      await Promise.all(catching);
    });
  });

  describe("over an older backup that is restored", () => {
    test("ends when there is less than it has seen", async () => {
      tail = newTail(5);
      const upTo = await write(counting.db, me);
      await write(counting.db, me, 3);
      const batches = follow(await joins(me));
      const idle = follow(await joins(other));
      const ends = [batches, idle].map((each) => each.next().catch((error: unknown) => error));
      await restoreTo(counting.db, upTo);
      for (const end of ends) expect(await end).toMatchObject({ code: "Gone" });
      const again = follow(await joins(me));
      const next = take(again, 1);
      expect([await write(counting.db, me)]).toEqual(await next);
    });

    test("ends when there is more by then, but something else", async () => {
      const upTo = await write(counting.db, me);
      const batches = follow(await joins(me));
      const seen = take(batches, 1);
      await write(counting.db, me);
      await seen;
      const end = batches.next().catch((error: unknown) => error);
      await restoreTo(counting.db, upTo);
      await write(counting.db, other, 5);
      expect(await end).toMatchObject({ code: "Gone" });
    });
  });

  test("ends when what it has not seen was removed, rather than skip it", async () => {
    const start = await write(counting.db, me);
    await write(counting.db, me, MANY);
    const batches = follow(await joins(me, start));
    expect(await take(batches, 100)).toHaveLength(100);
    const kept = { since: new Date(0), count: 10 };
    while ((await removeOldEvents(counting.db, kept, 1000)) > 0);
    await expect(batches.next()).rejects.toMatchObject({ code: "Gone" });
  });
});

function isReadOfEvents(sql: string): boolean {
  return /^\s*SELECT/i.test(sql) && sql.includes("resource_type");
}
