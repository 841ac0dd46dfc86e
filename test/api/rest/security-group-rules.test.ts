import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { GroupScene, INGRESS } from "../../support/group-scene.js";
import { expectRefusal, type Owned, pointersOf } from "../../support/scene.js";

const UNKNOWN_GROUP = "sg-0123456789abcdef0";
const QUOTAS = { rulesPerDirection: 3 };

describe.each(answerEngines)("rules of security groups on $name", (engine) => {
  let api: TestApi;
  let scene: GroupScene;
  let red: TenantKey;
  let a: Owned;

  beforeAll(async () => {
    api = await startTestApi(engine, { quotas: QUOTAS, sweeping: false });
    scene = new GroupScene(api);
    red = await api.createTenantWithKey("admin");
  });
  afterAll(() => api.stop());
  beforeEach(async () => {
    a = await scene.vpc(red, "10.1.0.0/16");
  });

  const block = { cidrBlock: "10.0.0.0/8" };

  test.each([
    [{ protocol: "tcp", fromPort: 80, toPort: 90 }, ["tcp", 80, 90]],
    [{ protocol: "tcp" }, ["tcp", 0, 65_535]],
    [{ protocol: "udp", fromPort: 0, toPort: 0 }, ["udp", 0, 0]],
    [{ protocol: 6, fromPort: 65_535, toPort: 65_535 }, ["tcp", 65_535, 65_535]],
    [{ protocol: 17 }, ["udp", 0, 65_535]],
    [{ protocol: "icmp" }, ["icmp", -1, -1]],
    [{ protocol: "icmp", fromPort: 8 }, ["icmp", 8, -1]],
    [{ protocol: 1, fromPort: 3, toPort: 4 }, ["icmp", 3, 4]],
    [{ protocol: "icmp", fromPort: 0, toPort: 0 }, ["icmp", 0, 0]],
    [{ protocol: "icmp", fromPort: -1, toPort: -1 }, ["icmp", -1, -1]],
    [{ protocol: "all" }, ["all", null, null]],
    [{ protocol: 50 }, [50, null, null]],
    [{ protocol: 0 }, [0, null, null]],
    [{ protocol: 255 }, [255, null, null]],
  ])("%j is shown as %j", async (traffic, shown) => {
    const group = await scene.newGroup(a, "web");
    const input = { direction: "ingress", ...traffic, ...block, description: "why" };
    const { dataPlane, ...rule } = await scene.addedRule(a, group, input);
    expect(dataPlane.state).toBe("noop");
    expect([rule.protocol, rule.fromPort, rule.toPort]).toEqual(shown);
    expect(rule).toMatchObject({
      ...block,
      direction: "ingress",
      description: "why",
      stale: false,
    });
    expect(rule.id).toMatch(/^sgr-[0-9a-f]{17}$/);
    expect((await scene.rules(a, group)).at(-1)).toEqual(rule);
    const path = `/security-groups/${group}/rules/${rule.id}`;
    expect(await scene.must(200, red, "GET", path)).toMatchObject(rule);
    await scene.must(204, red, "DELETE", path);
    expect(await scene.rules(a, group)).toHaveLength(1);
    for (const method of ["GET", "DELETE"] as const) {
      const gone = await scene.call(red, method, path);
      expectRefusal(gone, { status: 404, code: "InvalidSecurityGroupRuleId.NotFound" });
    }
  });

  test.each(["0.0.0.0/0", "10.1.0.4/32", "224.0.0.0/4", "10.0.0.0/31"])(
    "may be about any IPv4 block: %s",
    async (cidrBlock) => {
      const rule = await scene.addedRule(a, await scene.defaultGroup(a), { ...INGRESS, cidrBlock });
      expect(rule.cidrBlock).toBe(cidrBlock);
    },
  );

  const whole = { direction: "ingress", protocol: "tcp", ...block };
  const invalid = "InvalidParameterValue";
  test.each([
    [{ direction: undefined }, "ValidationError", "/direction"],
    [{ direction: "in" }, "ValidationError", "/direction"],
    [{ protocol: undefined }, "ValidationError", "/protocol"],
    [{ protocol: "sctp" }, "ValidationError", "/protocol"],
    [{ protocol: "6" }, "ValidationError", "/protocol"],
    [{ protocol: -1 }, "ValidationError", "/protocol"],
    [{ protocol: 256 }, "ValidationError", "/protocol"],
    [{ protocol: 6.5 }, "ValidationError", "/protocol"],
    [{ fromPort: 80 }, "ValidationError", "/toPort"],
    [{ toPort: 80 }, "ValidationError", "/fromPort"],
    [{ fromPort: 90, toPort: 80 }, invalid, "/toPort"],
    [{ fromPort: -1, toPort: -1 }, invalid, "/fromPort"],
    [{ fromPort: 1, toPort: 65_536 }, "ValidationError", "/toPort"],
    [{ fromPort: "80", toPort: 80 }, "ValidationError", "/fromPort"],
    [{ fromPort: null, toPort: null }, "ValidationError", "/fromPort"],
    [{ protocol: "icmp", toPort: 0 }, invalid, "/fromPort"],
    [{ protocol: "icmp", fromPort: -1, toPort: 4 }, invalid, "/fromPort"],
    [{ protocol: "icmp", fromPort: 256 }, invalid, "/fromPort"],
    [{ protocol: 1, fromPort: 8, toPort: 256 }, invalid, "/toPort"],
    [{ protocol: "all", fromPort: 0, toPort: 65_535 }, invalid, "/fromPort"],
    [{ protocol: "all", toPort: 80 }, invalid, "/toPort"],
    [{ protocol: 50, fromPort: -1 }, invalid, "/fromPort"],
    [{ cidrBlock: "10.0.0.1/8" }, invalid, "/cidrBlock"],
    [{ cidrBlock: "10.0.0.4" }, "ValidationError", "/cidrBlock"],
    [{ cidrBlock: "10.0.0.0/33" }, "ValidationError", "/cidrBlock"],
    [{ cidrBlock: "fd00::/8" }, "ValidationError", "/cidrBlock"],
    [{ cidrBlock: "" }, "ValidationError", "/cidrBlock"],
    [{ cidrBlock: undefined }, "ValidationError", "/cidrBlock"],
    [{ securityGroupId: UNKNOWN_GROUP }, "ValidationError", "/securityGroupId"],
    [{ cidrBlock: undefined, securityGroupId: "web" }, "ValidationError", "/securityGroupId"],
    [{ description: "x".repeat(256) }, "ValidationError", "/description"],
    [{ stale: false }, "ValidationError", "/stale"],
  ])("with %j are refused: %s at %s", async (change, code, pointer) => {
    const group = await scene.defaultGroup(a);
    const refused = await scene.addRule(a, group, { ...whole, ...change });
    expectRefusal(refused, { status: 400, code });
    expect(pointersOf(refused)[0]).toBe(pointer);
    expect(await scene.rules(a, group)).toHaveLength(2);
  });

  test("with host bits set are told the block", async () => {
    const refused = await scene.addRule(a, await scene.defaultGroup(a), {
      ...whole,
      cidrBlock: "10.9.8.7/8",
    });
    expectRefusal(refused, { status: 400, code: invalid, detail: "10.0.0.0/8" });
  });

  test.each([
    [{ protocol: "tcp" }, { protocol: 6, fromPort: 0, toPort: 65_535 }],
    [{ protocol: "icmp" }, { protocol: 1, fromPort: -1 }],
    [{ protocol: "all" }, { protocol: "all", description: "another" }],
    [{ protocol: 47 }, { protocol: 47 }],
  ])("%j stand once, also spelled %j", async (one, same) => {
    const group = await scene.newGroup(a, "web");
    const base = { direction: "ingress", securityGroupId: await scene.defaultGroup(a) };
    const { id } = await scene.addedRule(a, group, { ...base, ...one });
    const refused = await scene.addRule(a, group, { ...base, ...same });
    const blockedBy = [id];
    expectRefusal(refused, { status: 409, code: "InvalidPermission.Duplicate", blockedBy });
    const { id: other } = await scene.addedRule(a, group, {
      ...base,
      ...same,
      direction: "egress",
    });
    expect((await scene.rules(a, group)).slice(1).map((rule) => rule.id)).toEqual([id, other]);
    await scene.addedRule(a, await scene.defaultGroup(a), {
      ...base,
      ...one,
      securityGroupId: group,
    });
  });

  test("are so many in a direction and no more", async () => {
    const group = await scene.newGroup(a, "web");
    const add = (port: number, direction = "ingress") =>
      scene.addRule(a, group, { ...INGRESS, fromPort: port, toPort: port, direction, ...block });
    const answers = await Promise.all([1, 2, 3, 4].map((port) => add(port)));
    const code = "RulesPerSecurityGroupLimitExceeded";
    expect(answers.map(({ body }) => body.code).filter(Boolean)).toEqual([code]);
    for (const port of [1, 2]) expect((await add(port, "egress")).status).toBe(201);
    expectRefusal(await add(3, "egress"), { status: 409, code, detail: "3" });
    const [first] = (await scene.rules(a, group)).filter(
      ({ direction }) => direction === "ingress",
    );
    await scene.must(204, red, "DELETE", `/security-groups/${group}/rules/${first?.id}`);
    expect((await add(9)).status).toBe(201);
  });

  test("are removed by their own group only", async () => {
    const [one, other] = [await scene.newGroup(a, "one"), await scene.newGroup(a, "other")];
    const { id } = await scene.addedRule(a, one, whole);
    const refused = await scene.call(red, "DELETE", `/security-groups/${other}/rules/${id}`);
    expectRefusal(refused, { status: 404, code: "InvalidSecurityGroupRuleId.NotFound" });
    expect(await scene.rules(a, one)).toHaveLength(2);
  });

  test("are told as events of their group, and let its VPC follow", async () => {
    const group = await scene.newGroup(a, "web");
    const before = await scene.generationOf(a);
    const { id } = await scene.addedRule(a, group, whole);
    const between = await scene.generationOf(a);
    expect(between).toBeGreaterThan(before);
    await scene.must(204, red, "DELETE", `/security-groups/${group}/rules/${id}`);
    expect(await scene.generationOf(a)).toBeGreaterThan(between);
    await scene.must(200, red, "PATCH", `/security-groups/${group}`, { description: "x" });
    await scene.must(204, red, "DELETE", `/security-groups/${group}`);
    const { items } = await scene.must(200, red, "GET", "/events?limit=1000");
    const told = items.filter(
      ({ resource }: { resource: { id: string } }) => resource.id === group,
    );
    expect(told.map(({ action }: { action: string }) => action)).toEqual([
      "create",
      "add-rule",
      "remove-rule",
      "update",
      "delete",
    ]);
    expect(told[1]).toMatchObject({ resource: { type: "security-group" }, after: "available" });
  });

  test("whose answer was lost are not added again but shown", async () => {
    const group = await scene.newGroup(a, "web");
    const path = `/v1/security-groups/${group}/rules`;
    const add = (key: string) =>
      api.call(red.token, "POST", path, whole, { headers: { "idempotency-key": key } });
    const remove = (id: string) =>
      api.call(red.token, "DELETE", `${path}/${id}`, undefined, {
        headers: { "idempotency-key": `remove ${id}` },
      });
    const loseAnswer = (key: string) =>
      api.context.db.idempotencyKey.updateMany({
        where: { key },
        data: { answer: null, claimedUntil: new Date(0) },
      });
    const first = await add(`add ${group}`);
    expect((await add(`add ${group}`)).body).toEqual(first.body);
    await loseAnswer(`add ${group}`);
    const recovered = await add(`add ${group}`);
    const { dataPlane: _, ...rule } = first.body;
    expect(recovered).toMatchObject({ status: 201, body: rule });
    expect(recovered.headers["idempotent-replayed"]).toBe("true");
    expect(await scene.rules(a, group)).toHaveLength(2);
    expect((await remove(first.body.id)).status).toBe(204);
    await loseAnswer(`remove ${first.body.id}`);
    expect((await remove(first.body.id)).status).toBe(204);
    await loseAnswer(`add ${group}`);
    const gone = await add(`add ${group}`);
    expectRefusal(gone, { status: 404, code: "InvalidSecurityGroupRuleId.NotFound" });
  });
});
