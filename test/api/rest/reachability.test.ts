import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Engine, startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { expectRefusal, type Owned, pointersOf, Scene } from "../../support/scene.js";

const PING = { protocol: "icmp" } as const;
const WEB = { protocol: "tcp", port: 443 } as const;

interface Site extends Owned {
  readonly subnet: string;
  readonly eni: string;
  readonly ip: string;
}

describe.each(answerEngines)("reachability, on $name", (engine: Engine) => {
  let api: TestApi;
  let scene: Scene;
  let one: TenantKey;
  let two: TenantKey;
  /** A and B are the first tenant's and peered; C has A's addresses. */
  let a: Site;
  let b: Site;
  let c: Site;
  let table: string;
  let peering: string;

  async function site(key: TenantKey, octet: number): Promise<Site> {
    const owned = await scene.vpc(key, `10.${octet}.0.0/16`);
    const subnet = await scene.subnet(owned, `10.${octet}.1.0/24`);
    const eni = await scene.must(201, key, "POST", "/network-interfaces", { subnetId: subnet });
    return { ...owned, subnet, eni: eni.id, ip: eni.privateIp };
  }

  const ask = (key: TenantKey, question: object) =>
    scene.call(key, "POST", "/reachability", question);
  const answer = (key: TenantKey, question: object) =>
    scene.must(200, key, "POST", "/reachability", question);

  beforeAll(async () => {
    api = await startTestApi(engine);
    scene = new Scene(api);
    one = await api.createTenantWithKey("admin");
    two = await api.createTenantWithKey("admin");
    [a, b, c] = [await site(one, 1), await site(one, 2), await site(one, 1)];
    peering = await scene.peer(a, b);
    table = await scene.mainTable(a);
  });

  afterAll(() => api.stop());

  test("a gateway answers; the path is in the answer, and that nothing confirms it", async () => {
    const body = await answer(one, { from: a.eni, to: "10.1.1.1", ...PING });
    expect(body).toEqual({
      reachable: true,
      path: [
        { kind: "interface", vpcId: a.vpcId, networkInterfaceId: a.eni, ip: a.ip },
        { kind: "subnet", vpcId: a.vpcId, subnetId: a.subnet, cidrBlock: "10.1.1.0/24" },
        { kind: "gateway", vpcId: a.vpcId, ip: "10.1.1.1" },
      ],
      confirmedBySwitch: false,
      drift: false,
      switch: { message: expect.stringContaining("no-op"), there: [], back: [] },
    });
  });

  test("what stops it comes with a reason and a remedy", async () => {
    const body = await answer(one, { from: a.eni, to: "10.9.0.1", ...WEB });
    expect(body).toMatchObject({
      reachable: false,
      stoppedBy: "noRoute",
      reason: expect.stringContaining(table),
      remedy: expect.stringContaining("10.9.0.1"),
      confirmedBySwitch: false,
      drift: false,
    });
    expect(body.path.map(({ kind }: { kind: string }) => kind)).toEqual(["interface", "subnet"]);
  });

  test("an idempotency key does not bring an earlier answer back", async () => {
    const headers = { "Idempotency-Key": "the same question" };
    const again = (to: string) =>
      api.call(one.token, "POST", "/v1/reachability", { from: a.eni, to, ...PING }, { headers });
    expect((await again("10.1.1.1")).body).toMatchObject({ reachable: true });
    expect((await again("10.9.0.1")).body).toMatchObject({ stoppedBy: "noRoute" });
  });

  test("a route goes, and comes back as a remedy", async () => {
    const [from, to] = [await site(two, 31), await site(two, 32)];
    const id = await scene.peer(from, to, { requester: false });
    const question = { from: from.eni, to: to.eni, ...WEB };
    const unrouted = await answer(two, question);
    expect(unrouted).toMatchObject({ stoppedBy: "noRoute" });
    expect(unrouted.remedy).toContain(`a route to ${id} in ${await scene.mainTable(from)}`);
    await scene.addRoute(from, await scene.mainTable(from), "10.32.0.0/16", id);
    const { path } = await answer(two, question);
    expect(path).toContainEqual({
      kind: "route",
      vpcId: from.vpcId,
      routeTableId: await scene.mainTable(from),
      destinationCidrBlock: "10.32.0.0/16",
      target: id,
    });
    await scene.end(from, id);
    expect(await answer(two, question)).toMatchObject({ stoppedBy: "blackhole" });
  });

  test("an own interface may be named by its address, where only one VPC has it", async () => {
    expect(a.ip).toBe(c.ip);
    const ambiguous = await ask(one, { from: a.ip, to: "10.1.1.1", ...PING });
    expectRefusal(ambiguous, { status: 400, code: "InvalidParameterValue", detail: c.vpcId });
    expect(pointersOf(ambiguous)).toEqual(["/from"]);
    for (const { vpcId, eni } of [a, c]) {
      const { path } = await answer(one, { from: a.ip, to: "10.1.1.1", vpcId, ...PING });
      expect(path[0].networkInterfaceId).toBe(eni);
    }
    const { path } = await answer(one, { from: b.ip, to: "10.2.1.1", ...PING });
    expect(path[0].networkInterfaceId).toBe(b.eni);
  });

  test("an interface that is meant by id is not mistaken for another with its address", async () => {
    const body = await answer(one, { from: b.eni, to: c.eni, ...WEB });
    expect(body).toMatchObject({ reachable: false, stoppedBy: "routedElsewhere" });
    expect(body.reason).toContain(peering);
    expect(body.remedy).toContain(c.vpcId);
  });

  test("an ICMP message that opens nothing is said to be one", async () => {
    const body = await answer(one, { from: a.eni, to: b.ip, ...PING, icmpType: 3, icmpCode: 1 });
    expect(body).toMatchObject({ stoppedBy: "opensNoConnection" });
  });

  test("the operator may ask for anybody", async () => {
    const question = { from: a.eni, to: "10.1.1.1", ...PING };
    const { status, body } = await api.call(
      api.operatorToken,
      "POST",
      "/v1/reachability",
      question,
    );
    expect([status, body.reachable]).toEqual([200, true]);
  });

  test("a viewer may ask, and nothing happens by asking", async () => {
    const viewer = await api.addKey(one.tenantId, "viewer");
    const before = await scene.must(200, one, "GET", "/events?limit=1000");
    const body = await answer(viewer, { from: a.eni, to: "10.1.1.1", ...PING });
    expect(body.reachable).toBe(true);
    expect(await scene.must(200, one, "GET", "/events?limit=1000")).toEqual(before);
  });

  const NOBODY = "eni-0123456789abcdef0";
  const refused: Record<string, [object, status: number, code: string, pointer: string]> = {
    "an unknown sender": [
      { from: NOBODY, to: "10.2.1.4", ...PING },
      404,
      "InvalidNetworkInterfaceID.NotFound",
      "/from",
    ],
    "an address that nobody has as sender": [
      { from: "10.77.0.4", to: "10.2.1.4", ...PING },
      404,
      "InvalidNetworkInterfaceID.NotFound",
      "/from",
    ],
    "an unknown receiver": [
      { from: "10.2.1.4", to: NOBODY, ...PING },
      404,
      "InvalidNetworkInterfaceID.NotFound",
      "/to",
    ],
    "no address": [{ from: "10.2.1.4", to: "db", ...PING }, 400, "ValidationError", "/to"],
    "an IPv6 address": [
      { from: "10.2.1.4", to: "fd00::1", ...PING },
      400,
      "ValidationError",
      "/to",
    ],
    "a block": [{ from: "10.2.1.0/24", to: "10.1.1.4", ...PING }, 400, "ValidationError", "/from"],
    "the sender itself": [
      { from: "10.2.1.4", to: "10.2.1.4", ...PING },
      400,
      "InvalidParameterValue",
      "/to",
    ],
    "an unknown VPC": [
      { from: "10.2.1.4", to: "10.1.1.4", vpcId: "vpc-0123456789abcdef0", ...PING },
      404,
      "InvalidVpcID.NotFound",
      "/vpcId",
    ],
    "tcp without a port": [
      { from: "10.2.1.4", to: "10.1.1.4", protocol: "tcp" },
      400,
      "ValidationError",
      "/port",
    ],
    "udp, by number, without a port": [
      { from: "10.2.1.4", to: "10.1.1.4", protocol: 17 },
      400,
      "ValidationError",
      "/port",
    ],
    "port 0, to which nothing connects": [
      { from: "10.2.1.4", to: "10.1.1.4", protocol: "udp", port: 0 },
      400,
      "ValidationError",
      "/port",
    ],
    "a ping with a port": [
      { from: "10.2.1.4", to: "10.1.1.4", ...PING, port: 7 },
      400,
      "ValidationError",
      "/port",
    ],
    "tcp with a type": [
      { from: "10.2.1.4", to: "10.1.1.4", ...WEB, icmpType: 8 },
      400,
      "ValidationError",
      "/icmpType",
    ],
    "all protocols at once": [
      { from: "10.2.1.4", to: "10.1.1.4", protocol: "all" },
      400,
      "ValidationError",
      "/protocol",
    ],
  };

  test.each(Object.entries(refused))("is refused for %s", async (_what, [body, ...expected]) => {
    const [status, code, pointer] = expected;
    const refusal = await ask(one, body);
    expectRefusal(refusal, { status, code });
    expect(pointersOf(refusal)).toEqual([pointer]);
  });

  test("a VPC that is not the sender's is refused", async () => {
    const refusal = await ask(one, { from: a.eni, to: b.ip, vpcId: b.vpcId, ...PING });
    expectRefusal(refusal, { status: 400, code: "InvalidParameterValue" });
    expect(pointersOf(refusal)).toEqual(["/vpcId"]);
  });

  test("what is another tenant's does not exist, at either end", async () => {
    const other = await site(two, 41);
    for (const [question, pointer] of [
      [{ from: a.eni, to: "10.41.1.1" }, "/from"],
      [{ from: a.ip, to: "10.41.1.1" }, "/from"],
      [{ from: other.eni, to: a.eni }, "/to"],
      [{ from: other.eni, to: "10.41.1.1", vpcId: a.vpcId }, "/vpcId"],
    ] as const) {
      const refusal = await ask(two, { ...question, ...PING });
      expect(refusal.status).toBe(404);
      expect(pointersOf(refusal)).toEqual([pointer]);
    }
  });
});
