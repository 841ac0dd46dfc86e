import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { expectRefusal, type Owned, Scene } from "../../support/scene.js";

const ROUTES_PER_TABLE = 6;
/** Whether V asks or accepts, of its peering with W and of the one with A. */
const ROLES = [
  ["requester", "requester"],
  ["requester", "accepter"],
  ["accepter", "requester"],
  ["accepter", "accepter"],
] as const;
type Role = (typeof ROLES)[number][number];

describe.each(answerEngines)("contested routes on $name", (engine) => {
  let api: TestApi;
  let scene: Scene;
  let vera: TenantKey;
  let walter: TenantKey;
  let anna: TenantKey;

  beforeAll(async () => {
    api = await startTestApi(engine, { quotas: { routesPerTable: ROUTES_PER_TABLE } });
    scene = new Scene(api);
    vera = await api.createTenantWithKey("admin");
    walter = await api.createTenantWithKey("admin");
    anna = await api.createTenantWithKey("admin");
  });
  afterAll(() => api.stop());

  const newV = () => scene.vpc(vera, "10.1.0.0/16");
  const newW = (block = "10.3.0.0/16") => scene.vpc(walter, block);
  const newA = (block = "10.2.0.0/16") => scene.vpc(anna, block);

  function join(v: Owned, other: Owned, role: Role): Promise<string> {
    return role === "requester" ? scene.peer(v, other) : scene.peer(other, v);
  }

  /** V between W and A, all by default. */
  async function three(roles: readonly [Role, Role] = ["requester", "requester"]) {
    const [v, w, a] = [await newV(), await newW(), await newA()];
    const toW = await join(v, w, roles[0]);
    const toA = await join(v, a, roles[1]);
    return { v, w, a, toW, toA };
  }

  async function add(to: Owned, block: string): Promise<void> {
    expect(await scene.addBlock(to, block)).toMatchObject({ status: 201 });
  }

  /** Where the routes of a main table lead, and where the withheld ones would have led. */
  async function tableOf(of: Owned) {
    const routes = await scene.routes(of);
    const withheld = await scene.withheld(of);
    return {
      routes: routes.map((route) => [route.destinationCidrBlock, route.target]),
      withheld: withheld.map((route) => [
        route.destinationCidrBlock,
        route.target,
        route.contestedBy,
      ]),
    };
  }

  /** What a tenant has been told of withheld routes. */
  async function told(who: TenantKey) {
    const { items } = await scene.must(200, who, "GET", "/events?limit=1000");
    return items
      .filter((event: { resource: { type: string } }) => event.resource.type === "route")
      .map((event: { resource: { id: string }; action: string; after: string }) => [
        event.resource.id,
        event.action,
        event.after,
      ]);
  }

  describe.each(ROLES)("V %ss with W, and %ss with A", (...roles) => {
    test.each([
      ["inside W's", "10.3.5.0/24"],
      ["equal to W's", "10.3.0.0/16"],
    ])("a block that A adds %s leaves the way to W alone", async (_, block) => {
      const { v, a, toW, toA } = await three(roles);
      await add(a, block);
      expect(await tableOf(v)).toEqual({
        routes: [
          ["10.2.0.0/16", toA],
          ["10.3.0.0/16", toW],
        ],
        withheld: [[block, toA, toW]],
      });
    });

    test("a block that W adds around A's leaves the way to A alone", async () => {
      const [v, w, a] = [await newV(), await newW(), await newA("10.4.5.0/24")];
      const [toW, toA] = [await join(v, w, roles[0]), await join(v, a, roles[1])];
      await add(w, "10.4.0.0/16");
      expect(await tableOf(v)).toEqual({
        routes: [
          ["10.3.0.0/16", toW],
          ["10.4.5.0/24", toA],
        ],
        withheld: [["10.4.0.0/16", toW, toA]],
      });
    });

    test("V is told, once, and nobody else is", async () => {
      const { v, a, w, toA } = await three(roles);
      await add(a, "10.3.5.0/24");
      const event = [await scene.mainTable(v), "withheld", `10.3.5.0/24 to ${toA}`];
      const mine = (await told(vera)).filter(([id]: string[]) => id === event[0]);
      expect(mine).toEqual([event]);
      expect(await told(anna)).toEqual([]);
      expect(await told(walter)).toEqual([]);
      expect((await tableOf(a)).withheld).toEqual([]);
      expect((await tableOf(w)).withheld).toEqual([]);
    });
  });

  describe("at accept", () => {
    test.each(["10.3.5.0/24", "10.3.0.0/16"])(
      "%s of an accepter is withheld where V asks",
      async (block) => {
        const v = await newV();
        const toW = await scene.peer(v, await newW());
        const a = await newA();
        await add(a, block);
        const toA = await scene.peer(v, a);
        expect(await tableOf(v)).toEqual({
          routes: [
            ["10.2.0.0/16", toA],
            ["10.3.0.0/16", toW],
          ],
          withheld: [[block, toA, toW]],
        });
        expect((await scene.routes(a)).map(({ target }) => target)).toEqual([toA]);
      },
    );

    test("a block around that of a peer is withheld", async () => {
      const v = await newV();
      const toA = await scene.peer(v, await newA("10.3.5.0/24"));
      const toW = await scene.peer(v, await newW());
      expect(await tableOf(v)).toEqual({
        routes: [["10.3.5.0/24", toA]],
        withheld: [["10.3.0.0/16", toW, toA]],
      });
    });

    test.each(["10.3.5.0/24", "10.3.0.0/16", "10.2.0.0/16"])(
      "%s of a requester is refused where V accepts",
      async (block) => {
        const v = await newV();
        const w = await newW();
        await add(w, "10.2.5.0/24");
        await scene.peer(w, v);
        const a = await newA(block);
        const asked = await scene.request(a, v);
        const refused = await scene.accept(v, asked);
        expectRefusal(refused, {
          status: 409,
          code: "RouteAlreadyExists",
          detail: /accept with autoRoutes: false/,
          blockedBy: [await scene.mainTable(v)],
        });
        expect(await scene.stateOf(v, asked)).toBe("pending-acceptance");
        expect((await tableOf(a)).routes).toEqual([]);
        const accepted = await scene.accept(v, asked, { autoRoutes: false });
        expect(accepted.body.state).toBe("active");
        expect((await tableOf(v)).withheld).toEqual([]);
        expect((await tableOf(a)).routes).toEqual([["10.1.0.0/16", asked]]);
      },
    );

    test("a peer without routes counts by its blocks, and is named by its peering", async () => {
      const v = await newV();
      const toW = await scene.peer(await newW(), v, { accepter: false });
      const asked = await scene.request(await newA("10.3.5.0/24"), v);
      const refused = await scene.accept(v, asked);
      expectRefusal(refused, {
        status: 409,
        code: "RouteAlreadyExists",
        detail: /10\.3\.5\.0\/24/,
        blockedBy: [toW],
      });
      expect(refused.body.detail).not.toContain("10.3.0.0/16");
      const toA = await scene.peer(v, await newA("10.3.6.0/24"));
      expect((await tableOf(v)).withheld).toEqual([["10.3.6.0/24", toA, toW]]);
    });

    test("a route by hand to another peering counts, whatever lies behind it", async () => {
      const v = await newV();
      const toW = await scene.peer(v, await newW("10.9.0.0/16"), { requester: false });
      await scene.addRoute(v, await scene.mainTable(v), "10.3.0.0/16", toW);
      await scene.addRoute(v, await scene.mainTable(v), "10.2.7.7/32", toW);
      const asked = await scene.request(await newA("10.3.5.0/24"), v);
      expectRefusal(await scene.accept(v, asked), { status: 409, code: "RouteAlreadyExists" });
      const toA = await scene.peer(v, await newA());
      expect((await tableOf(v)).withheld).toEqual([["10.2.0.0/16", toA, toW]]);
    });

    test("a default route to another peering does not count", async () => {
      const v = await newV();
      const toW = await scene.peer(v, await newW(), { requester: false });
      await scene.addRoute(v, await scene.mainTable(v), "0.0.0.0/0", toW);
      const toA = await scene.peer(await newA(), v);
      const toB = await scene.peer(v, await newA("10.4.0.0/16"));
      expect(await tableOf(v)).toEqual({
        routes: [
          ["0.0.0.0/0", toW],
          ["10.2.0.0/16", toA],
          ["10.4.0.0/16", toB],
        ],
        withheld: [],
      });
    });

    test("a route by hand to the same destination and peering needs no other", async () => {
      const v = await newV();
      const asked = await scene.request(v, await newA());
      await scene.addRoute(v, await scene.mainTable(v), "10.2.0.0/16", asked);
      const a = await scene.must(200, vera, "GET", `/vpc-peerings/${asked}`);
      const accepter = { key: anna, vpcId: a.accepter.vpcId };
      expect((await scene.accept(accepter, asked)).body.state).toBe("active");
      expect(await tableOf(v)).toEqual({ routes: [["10.2.0.0/16", asked]], withheld: [] });
      expect(await scene.routes(v)).toMatchObject([{ origin: "user" }]);
    });

    test("a requester that wished no routes has none withheld", async () => {
      const v = await newV();
      const toW = await scene.peer(v, await newW());
      await scene.peer(v, await newA("10.3.5.0/24"), { requester: false });
      expect(await tableOf(v)).toEqual({ routes: [["10.3.0.0/16", toW]], withheld: [] });
    });

    test("a full table of the requester withholds what has no room, and the accepter learns nothing", async () => {
      const v = await newV();
      const toW = await scene.peer(v, await newW());
      const table = await scene.mainTable(v);
      for (const third of [1, 2, 3, 4]) await scene.addRoute(v, table, `10.99.${third}.0/24`, toW);
      const a = await newA();
      await add(a, "10.12.0.0/16");
      const toA = await scene.peer(v, a);
      const { routes, withheld } = await tableOf(v);
      expect(routes).toHaveLength(ROUTES_PER_TABLE);
      expect(routes).toContainEqual(["10.2.0.0/16", toA]);
      expect(withheld).toEqual([["10.12.0.0/16", toA, null]]);
      await add(a, "10.13.0.0/16");
      expect((await tableOf(v)).withheld).toContainEqual(["10.13.0.0/16", toA, null]);
    });
  });

  describe("later", () => {
    test("a default route to another peering counts for a block that is added", async () => {
      const v = await newV();
      const [toW, a] = [await scene.peer(v, await newW(), { requester: false }), await newA()];
      await scene.addRoute(v, await scene.mainTable(v), "0.0.0.0/0", toW);
      const toA = await scene.peer(v, a);
      await add(a, "10.12.0.0/16");
      expect(await tableOf(v)).toEqual({
        routes: [
          ["0.0.0.0/0", toW],
          ["10.2.0.0/16", toA],
        ],
        withheld: [["10.12.0.0/16", toA, toW]],
      });
    });

    test("a blackhole keeps what it drops, until its owner deletes it", async () => {
      const { v, w, a, toW, toA } = await three();
      const table = await scene.mainTable(v);
      await scene.addRoute(v, table, "10.3.0.0/17", toW);
      await scene.end(w, toW);
      await add(a, "10.3.5.0/24");
      expect((await tableOf(v)).withheld).toEqual([["10.3.5.0/24", toA, toW]]);
      expect(await scene.routes(v)).toContainEqual({
        destinationCidrBlock: "10.3.0.0/17",
        target: toW,
        state: "blackhole",
        origin: "user",
      });
      const refused = await scene.accept(v, await scene.request(w, v));
      expectRefusal(refused, { status: 409, code: "RouteAlreadyExists", blockedBy: [table] });
    });

    test("a peer that is leaving, and one that is not confirmed yet, count", async () => {
      const { v, a, toW, toA } = await three();
      for (const state of ["deleting", "provisioning"]) {
        await api.context.db.vpcPeering.update({ where: { id: toW }, data: { state } });
        await api.context.db.route.deleteMany({ where: { vpcPeeringId: toW } });
        await add(a, state === "deleting" ? "10.3.5.0/24" : "10.3.6.0/24");
      }
      expect((await tableOf(v)).withheld).toEqual([
        ["10.3.5.0/24", toA, toW],
        ["10.3.6.0/24", toA, toW],
      ]);
    });

    test("what was withheld does not come by itself", async () => {
      const { v, w, a, toW, toA } = await three();
      await add(a, "10.3.5.0/24");
      await scene.end(w, toW);
      const left = { routes: [["10.2.0.0/16", toA]], withheld: [["10.3.5.0/24", toA, toW]] };
      expect(await tableOf(v)).toEqual(left);
      await add(a, "10.4.0.0/16");
      expect((await tableOf(v)).withheld).toEqual(left.withheld);
    });

    test("a block that goes and comes back is judged anew", async () => {
      const { v, w, a, toW, toA } = await three();
      await add(a, "10.3.5.0/24");
      expect((await scene.removeBlock(a, "10.3.5.0/24")).status).toBe(204);
      expect((await tableOf(v)).withheld).toEqual([]);
      await add(a, "10.3.5.0/24");
      expect((await tableOf(v)).withheld).toEqual([["10.3.5.0/24", toA, toW]]);
      expect((await scene.removeBlock(a, "10.3.5.0/24")).status).toBe(204);
      await scene.end(w, toW);
      await add(a, "10.3.5.0/24");
      expect(await tableOf(v)).toEqual({
        routes: [
          ["10.2.0.0/16", toA],
          ["10.3.5.0/24", toA],
        ],
        withheld: [],
      });
    });

    test("a route that went with its block does not come back contested", async () => {
      const { v, w, a, toW, toA } = await three();
      await add(a, "10.4.5.0/24");
      await add(w, "10.4.0.0/16");
      expect((await scene.removeBlock(a, "10.4.5.0/24")).status).toBe(204);
      await add(a, "10.4.5.0/24");
      expect(await tableOf(v)).toEqual({
        routes: [
          ["10.2.0.0/16", toA],
          ["10.3.0.0/16", toW],
        ],
        withheld: [
          ["10.4.0.0/16", toW, toA],
          ["10.4.5.0/24", toA, toW],
        ],
      });
    });

    test("it goes with the peering, and with the VPC", async () => {
      const { v, a, w, toW, toA } = await three();
      await add(a, "10.3.5.0/24");
      await scene.end(a, toA);
      expect(await tableOf(v)).toEqual({ routes: [["10.3.0.0/16", toW]], withheld: [] });
      const again = await scene.peer(v, a);
      expect((await tableOf(v)).withheld).toEqual([["10.3.5.0/24", again, toW]]);
      await scene.end(w, toW);
      await scene.end(v, again);
      await scene.must(204, vera, "DELETE", `/vpcs/${v.vpcId}`);
    });

    test("its owner adds it by hand, and then it is withheld no more", async () => {
      const { v, a, toW, toA } = await three();
      await add(a, "10.3.5.0/24");
      const table = await scene.mainTable(v);
      const { status, body } = await scene.addRoute(v, table, "10.3.5.0/24", toA);
      expect({ status, withheld: body.withheldRoutes }).toEqual({ status: 201, withheld: [] });
      expect((await tableOf(v)).routes).toContainEqual(["10.3.5.0/24", toA]);
      await scene.must(
        204,
        vera,
        "DELETE",
        `/route-tables/${table}/routes/${encodeURIComponent("10.3.5.0/24")}`,
      );
      expect(await tableOf(v)).toEqual({
        routes: [
          ["10.2.0.0/16", toA],
          ["10.3.0.0/16", toW],
        ],
        withheld: [],
      });
    });

    test("the same destination routed to another peer leaves it withheld", async () => {
      const { v, a, toW, toA } = await three();
      await add(a, "10.3.5.0/24");
      const { status } = await scene.addRoute(v, await scene.mainTable(v), "10.3.5.0/24", toW);
      expect(status).toBe(201);
      expect((await tableOf(v)).withheld).toEqual([["10.3.5.0/24", toA, toW]]);
    });

    test("a route that is only withheld cannot be deleted", async () => {
      const { v, a } = await three();
      await add(a, "10.3.5.0/24");
      const path = `/route-tables/${await scene.mainTable(v)}/routes/10.3.5.0%2F24`;
      expectRefusal(await scene.call(vera, "DELETE", path), { status: 404, code: "NotFound" });
    });

    test("a side that makes its routes itself has none withheld", async () => {
      const v = await newV();
      const toW = await scene.peer(v, await newW());
      const a = await newA();
      await scene.peer(v, a, { requester: false });
      await add(a, "10.3.5.0/24");
      expect(await tableOf(v)).toEqual({ routes: [["10.3.0.0/16", toW]], withheld: [] });
    });
  });

  test("one tenant on all sides is held to the same", async () => {
    const v = await newV();
    const toW = await scene.peer(v, await scene.vpc(vera, "10.3.0.0/16"));
    const toA = await scene.peer(v, await scene.vpc(vera, "10.3.5.0/24"));
    expect(await tableOf(v)).toEqual({
      routes: [["10.3.0.0/16", toW]],
      withheld: [["10.3.5.0/24", toA, toW]],
    });
  });

  test("the operator is shown it as the owner is", async () => {
    const { v, a, toA } = await three();
    await add(a, "10.3.5.0/24");
    const path = `/v1/route-tables/${await scene.mainTable(v)}`;
    const { body } = await api.call(api.operatorToken, "GET", path);
    expect(body.withheldRoutes).toMatchObject([
      { destinationCidrBlock: "10.3.5.0/24", target: toA },
    ]);
  });
});
