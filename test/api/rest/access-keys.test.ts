import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writeKeyUses } from "../../../src/services/access-keys.js";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { TestClock } from "../../support/clock.js";
import { databaseEngines } from "../../support/databases.js";
import { expectRefusal, pointersOf, Scene } from "../../support/scene.js";

const LIMIT_MS = 10_000;

interface Shown {
  readonly id: string;
  readonly name: string | null;
  readonly lastUsedAt: string | null;
}

describe.each(databaseEngines)("access keys, on $name", (engine) => {
  const clock = new TestClock("2026-03-01T12:00:00.000Z");
  let api: TestApi;
  let scene: Scene;
  let admin: TenantKey;
  let keys: string;
  let statements: string[] = [];

  beforeAll(async () => {
    api = await startTestApi(engine, {
      clock: clock.read,
      sweeping: false,
      onStatement: (sql) => void statements.push(sql),
    });
    scene = new Scene(api);
  });
  afterAll(() => api.stop());
  beforeEach(async () => {
    admin = await api.createTenantWithKey("admin");
    keys = `/tenants/${admin.tenantId}/access-keys`;
    await writeKeyUses(api.context);
  });

  const shown = async (id: string): Promise<Shown> => {
    const { items } = await api.call(api.operatorToken, "GET", `/v1${keys}`).then((a) => a.body);
    return items.find((key: Shown) => key.id === id);
  };
  const issue = (body: object) =>
    scene.must(201, admin, "POST", keys, { roles: ["viewer"], ...body });
  const use = (token: string) => api.call(token, "GET", "/v1/whoami");
  const stored = async (id: string) =>
    (await api.context.db.accessKey.findUniqueOrThrow({ where: { id } })).lastUsedAt;

  describe("names", () => {
    test("are given at the issue or later, shown in lists, and taken away", async () => {
      const { id, name } = await issue({ name: "deployment" });
      expect(name).toBe("deployment");
      const unnamed = await issue({});
      expect([(await shown(id)).name, (await shown(unnamed.id)).name]).toEqual([
        "deployment",
        null,
      ]);
      const renamed = await scene.must(200, admin, "PATCH", `${keys}/${id}`, { name: "backups" });
      expect(renamed).toEqual(await shown(id));
      expect(renamed).toMatchObject({ id, name: "backups", roles: ["viewer"] });
      expect(renamed).not.toHaveProperty("secret");
      expect((await use(unnamed.token)).status).toBe(200);
      expect(
        (await scene.must(200, admin, "PATCH", `${keys}/${id}`, { name: null })).name,
      ).toBeNull();
    });

    test("that change are an event each, and the same one again is none", async () => {
      const { id } = await issue({ name: "one" });
      const events = async () => {
        const { items } = await scene.must(200, admin, "GET", "/events?limit=1000");
        return items.filter(({ resource }: { resource: { id: string } }) => resource.id === id);
      };
      for (const body of [{ name: "two" }, { name: "two" }, {}]) {
        expect(await scene.must(200, admin, "PATCH", `${keys}/${id}`, body)).toMatchObject({
          name: "two",
        });
      }
      expect((await events()).map(({ action }: { action: string }) => action)).toEqual([
        "create",
        "update",
      ]);
    });

    test.each([[{ name: "x".repeat(256) }], [{ name: "a\u0000b" }], [{ name: 7 }]])(
      "such as %j are refused",
      async (body) => {
        const { id } = await issue({});
        for (const refused of [
          await scene.call(admin, "POST", keys, { roles: ["viewer"], ...body }),
          await scene.call(admin, "PATCH", `${keys}/${id}`, body),
        ]) {
          expectRefusal(refused, { status: 400, code: "ValidationError" });
          expect(pointersOf(refused)).toEqual(["/name"]);
        }
      },
    );

    test("are given to keys of the tenant alone", async () => {
      const other = await api.createTenantWithKey("admin");
      const refused = await scene.call(admin, "PATCH", `${keys}/${other.keyId}`, { name: "mine" });
      expectRefusal(refused, { status: 404, code: "InvalidAccessKeyID.NotFound" });
    });
  });

  describe("when they were used last", () => {
    test("is null at first, and shown from the first use on", async () => {
      const { id, token, lastUsedAt } = await issue({});
      expect(lastUsedAt).toBeNull();
      expect((await shown(id)).lastUsedAt).toBeNull();
      clock.advance(5000);
      const at = clock.read().toISOString();
      await use(token);
      clock.advance(5000);
      await api.call(`${token}x`, "GET", "/v1/whoami");
      expect((await shown(id)).lastUsedAt).toBe(at);
      expect(await stored(id)).toBeNull();
      await writeKeyUses(api.context);
      expect((await stored(id))?.toISOString()).toBe(at);
      expect((await shown(id)).lastUsedAt).toBe(at);
    });

    test("is written with one statement for all, and none when nobody came", async () => {
      const made = [await issue({}), await issue({}), await issue({})];
      await writeKeyUses(api.context);
      statements = [];
      await writeKeyUses(api.context);
      expect(statements).toEqual([]);
      for (const { token } of made) expect((await use(token)).status).toBe(200);
      expect(statements).toEqual([]);
      await writeKeyUses(api.context);
      expect(statements).toHaveLength(1);
      for (const { id } of made) expect(await stored(id)).toEqual(clock.read());
    });

    test("takes no generation, makes no event and is never set back", async () => {
      const { id, token } = await issue({});
      const before = await api.context.db.event.count();
      const generation = await api.context.db.generation.findFirst();
      await use(token);
      const later = new Date(clock.read().getTime() + 60_000);
      await api.context.db.accessKey.update({ where: { id }, data: { lastUsedAt: later } });
      await writeKeyUses(api.context);
      expect(await stored(id)).toEqual(later);
      expect(await api.context.db.event.count()).toBe(before);
      expect(await api.context.db.generation.findFirst()).toEqual(generation);
    });

    test("of a key that is gone is forgotten", async () => {
      const { id, token } = await issue({});
      await use(token);
      await scene.must(204, admin, "DELETE", `${keys}/${id}`);
      await writeKeyUses(api.context);
      expect(api.context.keyUses.unwritten(id)).toBeUndefined();
    });
  });
});

/** Embedded, transactions run one at a time: nobody ever holds a row. */
const served = databaseEngines.filter(({ name }) => name === "postgres");

describe.each(served)("the uses of access keys, on $name", (engine) => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi(engine, { sweeping: false });
  });
  afterAll(() => api.stop());

  test("are written without waiting for who holds a key's row", async () => {
    const [held, free] = [
      await api.createTenantWithKey("admin"),
      await api.createTenantWithKey("admin"),
    ];
    for (const { token } of [held, free]) await api.call(token, "GET", "/v1/whoami");
    const { db, keyUses } = api.context;
    const isStored = async ({ keyId: id }: TenantKey) =>
      (await db.accessKey.findUniqueOrThrow({ where: { id } })).lastUsedAt !== null;
    await db.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT 1 FROM "access_key" WHERE "id" = ${held.keyId} FOR UPDATE`;
        await writeKeyUses(api.context);
        expect([await isStored(held), await isStored(free)]).toEqual([false, true]);
        expect(keyUses.unwritten(free.keyId)).toBeUndefined();
      },
      { timeout: LIMIT_MS },
    );
    expect(keyUses.unwritten(held.keyId)).toBeDefined();
    await writeKeyUses(api.context);
    expect([await isStored(held), keyUses.unwritten(held.keyId)]).toEqual([true, undefined]);
  });
});
