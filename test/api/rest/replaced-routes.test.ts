import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { expectRefusal, pointersOf, Scene } from "../../support/scene.js";

const UNKNOWN_PEERING = "pcx-0123456789abcdef0";
const DESTINATION = "10.2.0.0/16";

describe.each(answerEngines)("replacing a route on $name", (engine) => {
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

  const show = (id: string) => scene.must(200, red, "GET", `/route-tables/${id}`);

  /** A VPC with a route to the first of two peers that have the same addresses. */
  async function forked() {
    const a = await scene.vpc(red, "10.1.0.0/16");
    const none = { requester: false, accepter: false };
    const one = await scene.peer(a, await scene.vpc(blue, DESTINATION), none);
    const far = await scene.vpc(blue, DESTINATION);
    const two = await scene.peer(a, far, none);
    const table = await scene.mainTable(a);
    await scene.addRoute(a, table, DESTINATION, one);
    return { a, far, one, two, table };
  }

  const eventsOf = async (table: string) => {
    const { items } = await scene.must(200, red, "GET", "/events?limit=1000");
    return items.filter(({ resource }: { resource: { id: string } }) => resource.id === table);
  };

  test("leads a route to another peering, and leaves all else as it is", async () => {
    const { a, one, two, table } = await forked();
    await scene.addRoute(a, table, "10.2.4.0/24", one);
    const before = await eventsOf(table);
    const { status, body } = await scene.replaceRoute(a, table, DESTINATION, two);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toEqual({ ...(await show(table)), dataPlane: body.dataPlane });
    const user = { origin: "user", state: "active" };
    expect(await scene.routes(a, table)).toEqual([
      { destinationCidrBlock: DESTINATION, target: two, ...user },
      { destinationCidrBlock: "10.2.4.0/24", target: one, ...user },
    ]);
    const told = (await eventsOf(table)).slice(before.length);
    expect(told).toMatchObject([{ action: "update", resource: { type: "route-table" } }]);
  });

  test("to where a route leads already changes nothing and tells nobody", async () => {
    const { a, one, table } = await forked();
    const before = await show(table);
    const told = await eventsOf(table);
    const { status, body } = await scene.replaceRoute(a, table, DESTINATION, one);
    const { generation } = before.dataPlane;
    const dataPlane = expect.objectContaining({ state: "noop", generation });
    expect({ status, body }).toEqual({ status: 200, body: { ...before, dataPlane } });
    expect(await show(table)).toEqual({ ...before, dataPlane });
    expect(await eventsOf(table)).toEqual(told);
  });

  test("takes the place of a route in a table that is full", async () => {
    const { a, two, table } = await forked();
    const { routesPerTable } = api.context.quotas;
    const rows = Array.from({ length: routesPerTable - 1 }, (_, at) => {
      const destination = `10.${100 + Math.floor(at / 250)}.${at % 250}.0/24`;
      return { routeTableId: table, destination, vpcPeeringId: two, origin: "user" };
    });
    await api.context.db.route.createMany({ data: rows });
    expect((await scene.addRoute(a, table, "10.99.0.0/16", two)).status).toBe(409);
    expect((await scene.replaceRoute(a, table, DESTINATION, two)).status).toBe(200);
  });

  test("makes what was withheld come, as adding it by hand does", async () => {
    const { a, far, two, table } = await forked();
    const withheld = { routeTableId: table, destination: DESTINATION, vpcPeeringId: two };
    await api.context.db.withheldRoute.create({ data: withheld });
    expect(await scene.withheld(a)).toHaveLength(1);
    expect((await scene.replaceRoute(a, table, DESTINATION, two)).status).toBe(200);
    expect(await scene.withheld(a)).toEqual([]);
    await scene.end(far, two);
    expect(await scene.routes(a)).toMatchObject([{ target: two, state: "blackhole" }]);
  });

  test("revives a blackhole, and may make one that waits for its peering", async () => {
    const { a, far, one, two, table } = await forked();
    await scene.replaceRoute(a, table, DESTINATION, two);
    await scene.end(far, two);
    expect(await scene.routes(a)).toMatchObject([{ target: two, state: "blackhole" }]);
    expect((await scene.replaceRoute(a, table, DESTINATION, two)).status).toBe(200);
    expect((await scene.replaceRoute(a, table, DESTINATION, one)).status).toBe(200);
    expect(await scene.routes(a)).toMatchObject([{ target: one, state: "active" }]);
    const pending = await scene.request(a, far);
    expect((await scene.replaceRoute(a, table, DESTINATION, pending)).status).toBe(200);
    expect(await scene.routes(a)).toMatchObject([{ target: pending, state: "blackhole" }]);
    const late = await scene.replaceRoute(a, table, DESTINATION, two);
    expectRefusal(late, { status: 409, code: "InvalidStateTransition", detail: "deleted" });
  });

  test("is refused for what is not there, is local, or came with a peering", async () => {
    const { a, two, table } = await forked();
    const none = await scene.replaceRoute(a, table, "10.2.0.0/17", two);
    expectRefusal(none, { status: 404, code: "NotFound", detail: "10.2.0.0/17" });
    const local = await scene.replaceRoute(a, table, "10.1.0.0/16", two);
    expectRefusal(local, { status: 400, code: "InvalidParameterValue", detail: "local" });
    const other = await scene.peer(a, await scene.vpc(blue, "10.3.0.0/16"));
    for (const target of [two, other]) {
      const automatic = await scene.replaceRoute(a, table, "10.3.0.0/16", target);
      const detail = new RegExp(`came with peering ${other}.*delete it`);
      expectRefusal(automatic, { status: 400, code: "InvalidParameterValue", detail });
    }
    expect(await scene.routes(a)).toMatchObject([{ origin: "user" }, { target: other }]);
  });

  test("leads only to peerings in which the table's VPC takes part", async () => {
    const { a, far, one, table } = await forked();
    const between = await scene.peer(far, await scene.vpc(blue, "10.4.0.0/16"));
    for (const target of [between, UNKNOWN_PEERING]) {
      const refused = await scene.replaceRoute(a, table, DESTINATION, target);
      expectRefusal(refused, { status: 404, code: "InvalidVpcPeeringConnectionID.NotFound" });
      expect(pointersOf(refused)).toEqual(["/vpcPeeringId"]);
    }
    const named = { vpcPeeringId: one, destinationCidrBlock: DESTINATION };
    const path = `/route-tables/${table}/routes/10.2.0.0%2F16`;
    for (const body of [{}, named]) {
      const invalid = await scene.call(red, "PUT", path, body);
      expectRefusal(invalid, { status: 400, code: "ValidationError" });
    }
    expect(await scene.routes(a)).toMatchObject([{ target: one }]);
  });
});
