import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { removeOldEvents } from "../../../src/store/events.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import {
  type ListeningApp,
  listedEvents,
  newTenant,
  newVpc,
  OPERATOR_TOKEN,
  startApp,
  type TenantKey,
} from "./app.js";
import { openStream } from "./sse-client.js";
import { restoreTo } from "./tail-fixture.js";

interface Problem {
  readonly code: string;
  readonly detail: string;
}

describe.each(databaseEngines)("events that are not there, on $name", (engine) => {
  let fresh: FreshDatabase;
  let app: ListeningApp;
  let one: TenantKey;
  let two: TenantKey;

  beforeAll(async () => {
    fresh = await engine.fresh();
    app = await startApp(fresh);
  });
  afterAll(async () => {
    await app.stop();
    await fresh.cleanup();
  });
  beforeEach(async () => {
    one = await newTenant(app, "admin");
    two = await newTenant(app, "admin");
  });

  async function ask(token: string, path: string, headers: Record<string, string> = {}) {
    const abort = new AbortController();
    const response = await fetch(`${app.url}/v1/events${path}`, {
      headers: { authorization: `Bearer ${token}`, connection: "close", ...headers },
      signal: abort.signal,
    });
    const isStream = response.headers.get("content-type") === "text/event-stream";
    const body = isStream ? undefined : ((await response.json()) as Problem);
    abort.abort();
    return { status: response.status, body, type: response.headers.get("content-type") };
  }

  /** The same start of the list and of the stream, the latter told in two ways. */
  async function answers(token: string, after: string | number) {
    return Promise.all([
      ask(token, `?after=${after}`),
      ask(token, `/stream?after=${after}`),
      ask(token, "/stream", { "last-event-id": String(after) }),
    ]);
  }

  async function statuses(token: string, after: string | number): Promise<number[]> {
    return (await answers(token, after)).map(({ status }) => status);
  }

  const newest = async () => Number((await app.context.db.generation.findFirstOrThrow()).value);

  async function expectGone(token: string, after: string | number, detail: RegExp): Promise<void> {
    for (const { status, body, type } of await answers(token, after)) {
      expect({ status, code: body?.code }).toEqual({ status: 410, code: "Gone" });
      expect(type).toContain("application/problem+json");
      expect(body?.detail).toMatch(detail);
      expect(body?.detail).toMatch(/Begin anew without `after`/);
    }
  }

  test("beyond the newest are refused, however far, and the newest itself is not", async () => {
    await newVpc(app, two.token, "10.0.0.0/16");
    const last = await newest();
    const own = (await listedEvents(app, one.token)).at(-1)?.id ?? 0;
    expect(own).toBeLessThan(last);
    for (const token of [one.token, two.token, OPERATOR_TOKEN]) {
      expect(await statuses(token, last)).toEqual([200, 200, 200]);
      await expectGone(token, last + 1, new RegExp(`newest is ${last}`));
    }
    const page = { items: [], nextAfter: last };
    expect(await app.send(one.token, "GET", `/events?after=${last}`)).toEqual(page);
    for (const huge of [2 ** 53 - 1, "9007199254740993", "9".repeat(20), "9".repeat(100)]) {
      await expectGone(one.token, huge, /newest/);
    }
    for (const wrong of ["-1", "1e3", "1.5", "0x10", "9".repeat(200)]) {
      expect(await statuses(one.token, wrong)).toEqual([400, 400, 400]);
    }
  });

  test("after the restoration of an older backup: open streams end and say so", async () => {
    await newVpc(app, one.token, "10.0.0.0/16");
    const upTo = await newest();
    const stream = await openStream(app.url, one.token);
    await newVpc(app, one.token, "10.1.0.0/16");
    const [seen] = await stream.take(1);
    await restoreTo(app.context.db, upTo);
    const [last, ...more] = await stream.rest();
    expect(more).toEqual([]);
    expect(last).toMatchObject({ event: "gone", id: Number.NaN, data: { code: "Gone" } });
    await expectGone(one.token, seen?.id ?? 0, /older backup/);
    const anew = await openStream(app.url, one.token);
    const id = await newVpc(app, one.token, "10.2.0.0/16");
    expect((await anew.take(1))[0]?.data.resource.id).toBe(id);
    anew.leave();
  });

  test("because they were removed: told to those who would have missed one, and to no other", async () => {
    const start = (await listedEvents(app, one.token)).at(-1)?.id ?? 0;
    const quiet = (await listedEvents(app, two.token)).at(-1)?.id ?? 0;
    await newVpc(app, one.token, "10.0.0.0/16");
    const removed = (await listedEvents(app, one.token)).at(-1)?.id ?? 0;
    await newVpc(app, one.token, "10.1.0.0/16");
    await newVpc(app, one.token, "10.2.0.0/16");
    const rest = (await listedEvents(app, one.token)).filter(({ id }) => id > removed);
    await removeOldEvents(
      app.context.db,
      { since: new Date(0), count: (await newest()) - removed },
      1000,
    );
    await expectGone(one.token, start, new RegExp(`after ${start}, those up to ${removed}`));
    await expectGone(OPERATOR_TOKEN, start, new RegExp(`up to ${removed}`));
    expect(await statuses(one.token, removed)).toEqual([200, 200, 200]);
    expect(await statuses(two.token, quiet)).toEqual([200, 200, 200]);
    expect(await statuses(one.token, 0)).toEqual([200, 200, 200]);
    expect(await listedEvents(app, one.token)).toEqual(rest);
    expect(await listedEvents(app, one.token, "&after=0")).toEqual(rest);
    const stream = await openStream(app.url, one.token, { lastEventId: 0 });
    expect((await stream.take(rest.length)).map(({ data }) => data)).toEqual(rest);
    stream.leave();
  });

  test("from a list that is empty from its beginning: it says where it goes on", async () => {
    const forget = (count: number) =>
      removeOldEvents(app.context.db, { since: new Date(0), count }, 1000);
    await newVpc(app, one.token, "10.0.0.0/16");
    const last = (await listedEvents(app, one.token)).at(-1)?.id ?? 0;
    await newVpc(app, two.token, "10.0.0.0/16");
    await forget(1);
    const empty = await ask(one.token, "");
    expect(empty.body).toEqual({ items: [], nextAfter: last });
    expect(await statuses(one.token, last)).toEqual([200, 200, 200]);
    await newVpc(app, one.token, "10.1.0.0/16");
    await newVpc(app, two.token, "10.1.0.0/16");
    await forget(1);
    expect(await statuses(one.token, last)).toEqual([410, 410, 410]);
  });
});
