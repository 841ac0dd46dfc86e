import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { GroupScene, INGRESS } from "../../support/group-scene.js";
import { expectRefusal, type Owned } from "../../support/scene.js";

const UNKNOWN_GROUP = "sg-0123456789abcdef0";
const ANYWHERE = "0.0.0.0/0";
const QUOTAS = { rulesPerDirection: 3 };

describe.each(answerEngines)("security groups across a peering on $name", (engine) => {
  let api: TestApi;
  let scene: GroupScene;
  let red: TenantKey;

  beforeAll(async () => {
    api = await startTestApi(engine, { quotas: QUOTAS, sweeping: false });
    scene = new GroupScene(api);
    red = await api.createTenantWithKey("admin");
  });
  afterAll(() => api.stop());
  let blue: TenantKey;
  let a: Owned;
  let b: Owned;
  let web: string;
  let foreign: string;

  beforeEach(async () => {
    a = await scene.vpc(red, "10.1.0.0/16");
    blue = await api.createTenantWithKey("admin");
    b = await scene.vpc(blue, "10.2.0.0/16");
    web = await scene.newGroup(a, "web");
    foreign = await scene.newGroup(b, "theirs");
  });

  const naming = (securityGroupId: string) => ({ ...INGRESS, securityGroupId });

  test("a group can be named while the peering is active, and is stale afterwards", async () => {
    const stale = async () => (await scene.rules(a, web)).at(-1)?.stale;
    const pending = await scene.request(a, b);
    const refused = await scene.addRule(a, web, naming(foreign));
    expectRefusal(refused, { status: 404, code: "InvalidGroup.NotFound" });
    await scene.accept(b, pending);
    const { dataPlane: _, ...rule } = await scene.addedRule(a, web, naming(foreign));
    expect(rule).toMatchObject({
      cidrBlock: null,
      securityGroupId: foreign,
      securityGroupVpcId: b.vpcId,
      stale: false,
    });
    expect(await stale()).toBe(false);
    await scene.end(b, pending);
    expect(await stale()).toBe(true);
    const path = `/security-groups/${web}/rules/${rule.id}`;
    expect(await scene.must(200, red, "GET", path)).toMatchObject({ ...rule, stale: true });
    const again = await scene.addRule(a, web, naming(foreign));
    expectRefusal(again, { status: 404, code: "InvalidGroup.NotFound" });
    const second = await scene.peer(b, a);
    expect(await stale()).toBe(false);
    const twice = await scene.addRule(a, web, naming(foreign));
    const blockedBy = [rule.id];
    expectRefusal(twice, { status: 409, code: "InvalidPermission.Duplicate", blockedBy });
    await scene.must(204, blue, "DELETE", `/security-groups/${foreign}`);
    expect(await stale()).toBe(true);
    await scene.end(a, second);
    await scene.must(204, red, "DELETE", path);
  });

  test("stale rules count, and outlive the VPC that they were about", async () => {
    const peering = await scene.peer(a, b);
    const others = [await scene.newGroup(b, "2"), await scene.newGroup(b, "3")];
    for (const id of [foreign, ...others]) await scene.addedRule(a, web, naming(id));
    await scene.end(a, peering);
    await scene.must(204, blue, "DELETE", `/vpcs/${b.vpcId}`);
    const shown = (await scene.rules(a, web)).filter(({ direction }) => direction === "ingress");
    expect(shown.map(({ stale }) => stale)).toEqual([true, true, true]);
    const more = await scene.addRule(a, web, { ...INGRESS, cidrBlock: ANYWHERE });
    expectRefusal(more, { status: 409, code: "RulesPerSecurityGroupLimitExceeded" });
    await scene.must(204, red, "DELETE", `/security-groups/${web}`);
  });

  test("nothing tells a group that cannot be named from one that does not exist", async () => {
    const c = await scene.vpc(blue, "10.3.0.0/16");
    await scene.peer(a, b);
    const own = await scene.newGroup(await scene.vpc(red, "10.4.0.0/16"), "own");
    const [first] = await scene.groupsOf(c);
    const answers = [];
    for (const id of [UNKNOWN_GROUP, first.id, own]) {
      const { status, body } = await scene.addRule(a, web, naming(id));
      answers.push(JSON.stringify({ status, body }).replaceAll(id, "ID"));
    }
    expect(new Set(answers).size).toBe(1);
    expect(JSON.parse(answers[0] ?? "")).toMatchObject({
      status: 404,
      body: { code: "InvalidGroup.NotFound", errors: [{ pointer: "/securityGroupId" }] },
    });
  });

  test("of another tenant's group its id and VPC are seen, and of its members nothing", async () => {
    await scene.peer(a, b);
    const subnetId = await scene.subnet(b, "10.2.1.0/24");
    const eni = await scene.member(b, subnetId, foreign);
    await scene.addedRule(a, web, naming(foreign));
    const seen = JSON.stringify([await scene.show(a, web), await scene.groupsOf(a)]);
    for (const secret of ["theirs", eni, "10.2.1", blue.tenantId])
      expect(seen).not.toContain(secret);
    for (const path of [
      `/security-groups/${foreign}`,
      `/security-groups/${foreign}/rules/sgr-0123456789abcdef0`,
    ]) {
      const refused = await scene.call(red, "GET", path);
      expectRefusal(refused, { status: 404, code: "InvalidGroup.NotFound" });
    }
    const { items } = await scene.must(
      200,
      red,
      "GET",
      `/network-interfaces?securityGroupId=${foreign}`,
    );
    expect(items).toEqual([]);
    const { items: named } = await scene.must(200, red, "GET", "/security-groups?name=theirs");
    expect(named).toEqual([]);
    const blocked = await scene.call(blue, "DELETE", `/security-groups/${foreign}`);
    expectRefusal(blocked, { status: 409, code: "DependencyViolation", blockedBy: [eni] });
    const events = JSON.stringify(await scene.must(200, red, "GET", "/events?limit=1000"));
    expect(events).not.toContain(foreign);
  });

  test("a tenant's own rules elsewhere keep its group, a stranger's do not", async () => {
    const mine = await scene.vpc(red, "10.5.0.0/16");
    await scene.peer(a, mine);
    await scene.peer(a, b);
    const elsewhere = await scene.newGroup(mine, "elsewhere");
    const { id } = await scene.addedRule(mine, elsewhere, naming(web));
    const { id: theirs } = await scene.addedRule(b, foreign, naming(web));
    const refused = await scene.call(red, "DELETE", `/security-groups/${web}`);
    const blockedBy = [elsewhere];
    expectRefusal(refused, { status: 409, code: "DependencyViolation", blockedBy });
    await scene.must(204, red, "DELETE", `/security-groups/${elsewhere}/rules/${id}`);
    const before = await scene.generationOf(b);
    await scene.must(204, red, "DELETE", `/security-groups/${web}`);
    expect(await scene.generationOf(b)).toBeGreaterThan(before);
    const [left] = (await scene.rules(b, foreign)).filter((rule) => rule.id === theirs);
    expect(left?.stale).toBe(true);
  });

  test("who joins or leaves a group lets the VPCs follow whose rules name it", async () => {
    const peering = await scene.peer(a, b);
    await scene.addedRule(b, foreign, naming(web));
    const subnetId = await scene.subnet(a, "10.1.1.0/24");
    const follows = async (work: () => Promise<unknown>): Promise<boolean> => {
      const before = await scene.generationOf(b);
      await work();
      return (await scene.generationOf(b)) > before;
    };
    let eni = "";
    const change = (body: object) => () =>
      scene.must(200, red, "PATCH", `/network-interfaces/${eni}`, body);
    const first = await scene.defaultGroup(a);
    const join = async () => {
      eni = await scene.member(a, subnetId, web);
    };
    expect(await follows(join)).toBe(true);
    expect(await follows(change({ name: "x" }))).toBe(false);
    expect(await follows(change({ securityGroupIds: [first, web] }))).toBe(false);
    expect(await follows(change({ securityGroupIds: [first] }))).toBe(true);
    expect(await follows(change({ securityGroupIds: [web] }))).toBe(true);
    const leave = () => scene.must(204, red, "DELETE", `/network-interfaces/${eni}`);
    expect(await follows(leave)).toBe(true);
    expect(await follows(() => scene.newInterface(a, subnetId, [first]))).toBe(false);
    await scene.end(a, peering);
    expect(await follows(join)).toBe(false);
  });
});
