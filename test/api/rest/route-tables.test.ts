import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { expectRefusal, type Owned, pointersOf, Scene } from "../../support/scene.js";

const UNKNOWN_TABLE = "rtb-0123456789abcdef0";
const UNKNOWN_PEERING = "pcx-0123456789abcdef0";
const UNKNOWN_SUBNET = "subnet-0123456789abcdef0";

describe.each(answerEngines)("route tables on $name", (engine) => {
  let api: TestApi;
  let scene: Scene;
  let red: TenantKey;
  let blue: TenantKey;

  beforeAll(async () => {
    api = await startTestApi(engine);
    scene = new Scene(api);
    red = await api.createTenantWithKey("admin");
    blue = await api.createTenantWithKey("admin");
  });
  afterAll(() => api.stop());

  async function newTable({ key, vpcId }: Owned): Promise<string> {
    return (await scene.must(201, key, "POST", "/route-tables", { vpcId })).id;
  }

  const show = (of: Owned, id: string) => scene.must(200, of.key, "GET", `/route-tables/${id}`);
  const removeRoute = (of: Owned, id: string, block: string) =>
    scene.call(of.key, "DELETE", `/route-tables/${id}/routes/${encodeURIComponent(block)}`);

  describe("tables", () => {
    test("every VPC has a main one, with its local route", async () => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const { items, nextCursor } = await scene.must(
        200,
        red,
        "GET",
        `/route-tables?vpcId=${a.vpcId}`,
      );
      expect(items).toEqual([
        {
          id: expect.stringMatching(/^rtb-[0-9a-f]{17}$/),
          vpcId: a.vpcId,
          tenantId: red.tenantId,
          main: true,
          routes: [
            {
              destinationCidrBlock: "10.1.0.0/16",
              target: "local",
              state: "active",
              origin: "local",
            },
          ],
          withheldRoutes: [],
          associations: [],
          createdAt: expect.stringMatching(/^20.*Z$/),
          dataPlane: expect.objectContaining({ state: "noop" }),
        },
      ]);
      expect(nextCursor).toBeNull();
      const main = await scene.call(red, "DELETE", `/route-tables/${items[0].id}`);
      expectRefusal(main, { status: 409, code: "DependencyViolation", blockedBy: [a.vpcId] });
      await scene.must(204, red, "DELETE", `/vpcs/${a.vpcId}`);
      const gone = await scene.call(red, "GET", `/route-tables/${items[0].id}`);
      expectRefusal(gone, { status: 404, code: "InvalidRouteTableID.NotFound" });
    });

    test("further ones come, are listed in order, and go", async () => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const ids = [await scene.mainTable(a), await newTable(a), await newTable(a)];
      expect(await show(a, ids[1] ?? "")).toMatchObject({ main: false, vpcId: a.vpcId });
      const listed: string[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const path: string = `/route-tables?vpcId=${a.vpcId}&limit=1${more}`;
        const page = await scene.must(200, red, "GET", path);
        listed.push(...page.items.map(({ id }: { id: string }) => id));
        cursor = page.nextCursor;
      }
      expect(listed).toEqual(ids);
      await scene.must(204, red, "DELETE", `/route-tables/${ids[1]}`);
      const again = await scene.call(red, "DELETE", `/route-tables/${ids[1]}`);
      expectRefusal(again, { status: 404, code: "InvalidRouteTableID.NotFound" });
    });

    test("are nobody else's business, except the operator's to read", async () => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const id = await newTable(a);
      const foreign = await scene.call(blue, "POST", "/route-tables", { vpcId: a.vpcId });
      expectRefusal(foreign, { status: 404, code: "InvalidVpcID.NotFound" });
      expect(pointersOf(foreign)).toEqual(["/vpcId"]);
      expect((await scene.must(200, blue, "GET", `/route-tables?vpcId=${a.vpcId}`)).items).toEqual(
        [],
      );
      const read = await api.call(api.operatorToken, "GET", `/v1/route-tables/${id}`);
      expect(read).toMatchObject({ status: 200, body: { id } });
      const unknown = await scene.call(red, "GET", `/route-tables/${UNKNOWN_TABLE}`);
      expectRefusal(unknown, { status: 404, code: "InvalidRouteTableID.NotFound" });
    });

    test("every change is an event of the table", async () => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const b = await scene.vpc(blue, "10.2.0.0/16");
      const peering = await scene.request(a, b);
      const id = await newTable(a);
      await scene.addRoute(a, id, "10.2.0.0/16", peering);
      await removeRoute(a, id, "10.2.0.0/16");
      await scene.must(204, red, "DELETE", `/route-tables/${id}`);
      const eventsOf = async (who: TenantKey) => {
        const { items } = await scene.must(200, who, "GET", "/events?limit=1000");
        return items
          .filter(({ resource }: { resource: { id: string } }) => resource.id === id)
          .map(({ resource, action }: { resource: { type: string }; action: string }) => [
            resource.type,
            action,
          ]);
      };
      const actions = ["create", "update", "update", "delete"];
      expect(await eventsOf(red)).toEqual(actions.map((action) => ["route-table", action]));
      expect(await eventsOf(blue)).toEqual([]);
    });
  });

  describe("associations", () => {
    test("a subnet follows one table at a time, the main one unless told otherwise", async () => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const subnetId = await scene.subnet(a, "10.1.1.0/24");
      const [main, one, two] = [await scene.mainTable(a), await newTable(a), await newTable(a)];
      const followed = async () =>
        (await scene.must(200, red, "GET", `/subnets/${subnetId}`)).routeTableId;
      const associate = (id: string) =>
        scene.must(201, red, "POST", `/route-tables/${id}/associations`, { subnetId });

      expect(await followed()).toBeNull();
      expect(await associate(one)).toMatchObject({ id: one, associations: [subnetId] });
      expect(await followed()).toBe(one);
      expect(await associate(two)).toMatchObject({ id: two, associations: [subnetId] });
      expect((await show(a, one)).associations).toEqual([]);
      const inUse = await scene.call(red, "DELETE", `/route-tables/${two}`);
      expectRefusal(inUse, { status: 409, code: "DependencyViolation", blockedBy: [subnetId] });
      expect(await associate(main)).toMatchObject({ id: main, associations: [] });
      expect(await followed()).toBeNull();
      await associate(two);
      await scene.must(204, red, "DELETE", `/route-tables/${two}/associations/${subnetId}`);
      expect(await followed()).toBeNull();
      await associate(two);
      await scene.must(204, red, "DELETE", `/subnets/${subnetId}`);
      await scene.must(204, red, "DELETE", `/route-tables/${two}`);
    });

    test("only subnets of the table's VPC can be associated, and only those that are, ended", async () => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const table = await newTable(a);
      const path = `/route-tables/${table}/associations`;
      const elsewhere = await scene.subnet(await scene.vpc(red, "10.1.0.0/16"), "10.1.1.0/24");
      const foreign = await scene.subnet(await scene.vpc(blue, "10.1.0.0/16"), "10.1.1.0/24");
      const wrong = await scene.call(red, "POST", path, { subnetId: elsewhere });
      expectRefusal(wrong, { status: 400, code: "InvalidParameterValue" });
      expect(pointersOf(wrong)).toEqual(["/subnetId"]);
      for (const subnetId of [foreign, UNKNOWN_SUBNET]) {
        const unknown = await scene.call(red, "POST", path, { subnetId });
        expectRefusal(unknown, { status: 404, code: "InvalidSubnetID.NotFound" });
        expect(pointersOf(unknown)).toEqual(["/subnetId"]);
      }
      const own = await scene.subnet(a, "10.1.1.0/24");
      for (const subnetId of [own, foreign]) {
        const none = await scene.call(red, "DELETE", `${path}/${subnetId}`);
        expectRefusal(none, { status: 404, code: "InvalidSubnetID.NotFound" });
      }
    });
  });

  describe("routes", () => {
    async function peered() {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const b = await scene.vpc(blue, "10.2.0.0/16");
      const peering = await scene.peer(a, b, { requester: false, accepter: false });
      return { a, b, peering, table: await scene.mainTable(a) };
    }

    test("lead to a whole block, to a part of one, or anywhere", async () => {
      const { a, peering, table } = await peered();
      const destinations = ["0.0.0.0/0", "10.0.0.0/8", "10.2.0.0/16", "10.2.4.0/24", "10.2.4.7/32"];
      for (const destination of [...destinations].reverse()) {
        const made = await scene.addRoute(a, table, destination, peering);
        expect(made, JSON.stringify(made.body)).toMatchObject({ status: 201, body: { id: table } });
      }
      const { routes } = await show(a, table);
      const local = { target: "local", state: "active", origin: "local" };
      const made = { target: peering, state: "active", origin: "user" };
      expect(routes).toEqual([
        { destinationCidrBlock: "10.1.0.0/16", ...local },
        ...destinations.map((destinationCidrBlock) => ({ destinationCidrBlock, ...made })),
      ]);
    });

    test("a destination stands once in a table, and may stand in another", async () => {
      const { a, peering, table } = await peered();
      expect((await scene.addRoute(a, table, "10.2.0.0/16", peering)).status).toBe(201);
      for (const destination of ["10.2.0.0/16", "10.1.0.0/16"]) {
        const twice = await scene.addRoute(a, table, destination, peering);
        expectRefusal(twice, { status: 409, code: "RouteAlreadyExists", detail: destination });
        expect(pointersOf(twice)).toEqual(["/destinationCidrBlock"]);
      }
      const other = await newTable(a);
      expect((await scene.addRoute(a, other, "10.2.0.0/16", peering)).status).toBe(201);
    });

    test.each([
      ["10.1.4.0/24", "InvalidParameterValue", "10.1.0.0/16"],
      ["10.2.0.1/16", "InvalidParameterValue", "10.2.0.0/16"],
      ["10.2.0.0/33", "ValidationError", "10.2.0.0/33"],
      ["10.2.0.0", "ValidationError", "10.2.0.0"],
      ["fd00::/48", "ValidationError", "fd00::/48"],
      ["everywhere", "ValidationError", "everywhere"],
    ])("%s is no destination: %s naming %s", async (destination, code, detail) => {
      const { a, peering, table } = await peered();
      const refused = await scene.addRoute(a, table, destination, peering);
      expectRefusal(refused, { status: 400, code, detail });
      expect(pointersOf(refused)).toEqual(["/destinationCidrBlock"]);
      expect(await scene.routes(a, table)).toEqual([]);
    });

    test("lead only to peerings in which the table's VPC takes part", async () => {
      const { a, b, peering, table } = await peered();
      const c = await scene.vpc(red, "10.3.0.0/16");
      const between = await scene.peer(b, await scene.vpc(blue, "10.4.0.0/16"));
      const doomed = await scene.request(b, await scene.vpc(red, "10.2.0.0/20"));
      const cTable = await scene.mainTable(c);
      for (const [of, at, target] of [
        [a, table, UNKNOWN_PEERING],
        [a, table, between],
        [a, table, doomed],
        [c, cTable, peering],
      ] as const) {
        const refused = await scene.addRoute(of, at, "10.9.0.0/16", target);
        expectRefusal(refused, { status: 404, code: "InvalidVpcPeeringConnectionID.NotFound" });
        expect(pointersOf(refused)).toEqual(["/vpcPeeringId"]);
      }
    });

    test("of a request that cannot succeed are the requester's alone", async () => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const b = await scene.vpc(blue, "10.1.0.0/20");
      const doomed = await scene.request(a, b);
      const refused = await scene.addRoute(b, await scene.mainTable(b), "10.9.0.0/16", doomed);
      expectRefusal(refused, { status: 404, code: "InvalidVpcPeeringConnectionID.NotFound" });
    });

    test("cannot be made to a peering that has ended", async () => {
      const { a, b, peering, table } = await peered();
      await scene.end(b, peering);
      const late = await scene.addRoute(a, table, "10.2.0.0/16", peering);
      expectRefusal(late, { status: 409, code: "InvalidStateTransition", detail: "deleted" });
    });

    test("go, except local ones", async () => {
      const { a, peering, table } = await peered();
      await scene.addRoute(a, table, "10.2.0.0/16", peering);
      await scene.addRoute(a, table, "10.2.4.7/32", peering);
      expect((await removeRoute(a, table, "10.2.4.7/32")).status).toBe(204);
      expect((await removeRoute(a, table, "10.2.0.0/16")).status).toBe(204);
      expect(await scene.routes(a, table)).toEqual([]);
      const again = await removeRoute(a, table, "10.2.0.0/16");
      expectRefusal(again, { status: 404, code: "NotFound", detail: "10.2.0.0/16" });
      const local = await removeRoute(a, table, "10.1.0.0/16");
      expectRefusal(local, { status: 400, code: "InvalidParameterValue", detail: "local" });
      expect((await show(a, table)).routes).toHaveLength(1);
    });
  });

  describe("autoRoutes", () => {
    test.each([
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ])("requester %j, accepter %j", async (requester, accepter) => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      await scene.addBlock(a, "10.11.0.0/16");
      const b = await scene.vpc(blue, "10.2.0.0/16");
      await scene.addBlock(b, "10.12.0.0/16");
      const other = await newTable(a);
      const id = await scene.request(a, b, { autoRoutes: requester });
      expect(await scene.routes(a)).toEqual([]);
      expect((await scene.accept(b, id, { autoRoutes: accepter })).status).toBe(200);
      const came = (blocks: string[]) =>
        blocks.map((destinationCidrBlock) => {
          return { destinationCidrBlock, target: id, state: "active", origin: "peering" };
        });
      expect(await scene.routes(a)).toEqual(requester ? came(["10.2.0.0/16", "10.12.0.0/16"]) : []);
      expect(await scene.routes(b)).toEqual(accepter ? came(["10.1.0.0/16", "10.11.0.0/16"]) : []);
      expect(await scene.routes(a, other)).toEqual([]);
      await scene.end(b, id);
      expect(await scene.routes(a)).toEqual([]);
      expect(await scene.routes(b)).toEqual([]);
    });

    test("is true on both sides when nothing is said", async () => {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const b = await scene.vpc(blue, "10.2.0.0/16");
      const id = await scene.request(a, b);
      expect((await scene.accept(b, id)).body.state).toBe("active");
      expect(await scene.routes(a)).toMatchObject([{ target: id, origin: "peering" }]);
      expect(await scene.routes(b)).toMatchObject([{ target: id, origin: "peering" }]);
    });

    test("collides with a route of the accepter: the accept is refused, and possible without", async () => {
      const hub = await scene.vpc(blue, "10.9.0.0/16");
      const one = await scene.vpc(red, "10.1.0.0/16");
      const first = await scene.peer(one, hub);
      const two = await scene.vpc(red, "10.1.0.0/16");
      const second = await scene.request(two, hub);
      const main = await scene.mainTable(hub);
      const refused = await scene.accept(hub, second);
      expectRefusal(refused, {
        status: 409,
        code: "RouteAlreadyExists",
        detail: /10\.1\.0\.0\/16.*accept with autoRoutes: false/,
        blockedBy: [main],
      });
      expect(await scene.stateOf(hub, second)).toBe("pending-acceptance");
      expect(await scene.routes(two)).toEqual([]);
      const accepted = await scene.accept(hub, second, { autoRoutes: false });
      expect(accepted.body.state).toBe("active");
      expect((await scene.routes(hub)).map(({ target }) => target)).toEqual([first]);
      expect((await scene.routes(two)).map(({ target }) => target)).toEqual([second]);
    });
  });

  describe("blackholes", () => {
    async function asked() {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const b = await scene.vpc(blue, "10.2.0.0/16");
      const id = await scene.request(a, b, { autoRoutes: false });
      await scene.addRoute(a, await scene.mainTable(a), "10.2.0.0/17", id);
      await scene.addRoute(b, await scene.mainTable(b), "10.1.0.0/17", id);
      const states = async () => [
        ...(await scene.routes(a)).map(({ state }) => state),
        ...(await scene.routes(b)).map(({ state }) => state),
      ];
      return { a, b, id, states };
    }

    test("a route is one until its peering is active, and again when it is gone", async () => {
      const { a, b, id, states } = await asked();
      expect(await states()).toEqual(["blackhole", "blackhole"]);
      expect((await scene.accept(b, id, { autoRoutes: false })).body.state).toBe("active");
      expect(await states()).toEqual(["active", "active"]);
      await scene.end(b, id);
      expect(await states()).toEqual(["blackhole", "blackhole"]);
      await api.context.db.vpcPeering.delete({ where: { id } });
      expect(await states()).toEqual(["blackhole", "blackhole"]);
      const again = await scene.peer(a, b, { requester: false, accepter: false });
      expect(await states()).toEqual(["blackhole", "blackhole"]);
      expect((await scene.routes(a)).map(({ target }) => target)).toEqual([id]);
      const table = await scene.mainTable(a);
      expect((await removeRoute(a, table, "10.2.0.0/17")).status).toBe(204);
      expect((await scene.addRoute(a, table, "10.2.0.0/17", again)).status).toBe(201);
      expect(await states()).toEqual(["active", "blackhole"]);
    });

    test("a route to a peering that was rejected stays one", async () => {
      const { b, id, states } = await asked();
      await scene.must(200, b.key, "POST", `/vpc-peerings/${id}/reject`);
      expect(await states()).toEqual(["blackhole", "blackhole"]);
    });

    test("a route stays one when the peer's VPC is gone", async () => {
      const { a, b, id } = await asked();
      await scene.must(204, blue, "DELETE", `/vpcs/${b.vpcId}`);
      expect(await scene.stateOf(a, id)).toBe("failed");
      expect(await scene.routes(a)).toMatchObject([{ target: id, state: "blackhole" }]);
    });
  });
});
