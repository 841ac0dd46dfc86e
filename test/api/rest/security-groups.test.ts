import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { GroupScene, INGRESS } from "../../support/group-scene.js";
import { expectRefusal, type Owned, pointersOf } from "../../support/scene.js";

const UNKNOWN_GROUP = "sg-0123456789abcdef0";
const ANYWHERE = "0.0.0.0/0";
const QUOTAS = { securityGroupsPerVpc: 4, rulesPerDirection: 3, securityGroupsPerInterface: 2 };

describe.each(answerEngines)("security groups on $name", (engine) => {
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

  describe("themselves", () => {
    test("every VPC starts with one that admits itself and lets everything out", async () => {
      const [group, ...others] = await scene.groupsOf(a);
      expect(others).toEqual([]);
      expect(group).toMatchObject({
        vpcId: a.vpcId,
        tenantId: red.tenantId,
        name: "default",
        default: true,
        tags: {},
        dataPlane: { state: "noop" },
      });
      expect(group.id).toMatch(/^sg-[0-9a-f]{17}$/);
      const any = { protocol: "all", fromPort: null, toPort: null, description: "", stale: false };
      const unlimited = { limited: false, membersInForce: null, message: null };
      const itself = { securityGroupId: group.id, securityGroupVpcId: a.vpcId, cidrBlock: null };
      const all = { securityGroupId: null, securityGroupVpcId: null, cidrBlock: ANYWHERE };
      expect(group.rules).toEqual([
        {
          ...any,
          ...unlimited,
          ...itself,
          id: expect.any(String),
          createdAt: expect.any(String),
          direction: "ingress",
        },
        {
          ...any,
          ...unlimited,
          ...all,
          id: expect.any(String),
          createdAt: expect.any(String),
          direction: "egress",
        },
      ]);
    });

    test("a new one lets everything out and nothing in", async () => {
      const input = { vpcId: a.vpcId, name: "web", description: "Front", tags: { tier: "1" } };
      const group = await scene.must(201, red, "POST", "/security-groups", input);
      expect(group).toMatchObject({ ...input, default: false });
      expect(group.rules).toMatchObject([
        { direction: "egress", protocol: "all", cidrBlock: ANYWHERE },
      ]);
      expect(await scene.show(a, group.id)).toEqual({ ...group, dataPlane: expect.anything() });
    });

    test("are found by VPC, name and tag, a page at a time", async () => {
      const web = await scene.newGroup(a, "web");
      await scene.must(200, red, "PATCH", `/security-groups/${web}`, { tags: { "a b": "1" } });
      const other = await scene.vpc(red, "10.2.0.0/16");
      await scene.newGroup(other, "web");
      const find = async (query: string) =>
        (await scene.must(200, red, "GET", `/security-groups?${query}`)).items.map(
          ({ id }: { id: string }) => id,
        );
      expect(await find(`vpcId=${a.vpcId}&name=web`)).toEqual([web]);
      expect(await find("tag:a%20b=1")).toEqual([web]);
      expect(await find(`vpcId=${a.vpcId}&name=none`)).toEqual([]);
      const path = `/security-groups?vpcId=${a.vpcId}&limit=1`;
      const { items, nextCursor } = await scene.must(200, red, "GET", path);
      const next = await scene.must(200, red, "GET", `${path}&cursor=${nextCursor}`);
      expect([...items, ...next.items].map(({ name }) => name)).toEqual(["default", "web"]);
      expect(next.nextCursor).toBeNull();
    });

    test("change their description and tags, the default one too, and never their name", async () => {
      for (const id of [await scene.defaultGroup(a), await scene.newGroup(a, "web")]) {
        const path = `/security-groups/${id}`;
        const shown = await scene.must(200, red, "GET", path);
        const before = { ...shown, dataPlane: expect.anything() };
        const change = { description: "other", tags: { b: "2" } };
        const changed = await scene.must(200, red, "PATCH", path, change);
        expect(changed).toEqual({ ...before, ...change });
        expect(await scene.must(200, red, "PATCH", path)).toEqual({ ...before, ...change });
        const refused = await scene.call(red, "PATCH", path, { name: "new" });
        expectRefusal(refused, { status: 400, code: "ValidationError" });
        expect(pointersOf(refused)).toEqual(["/name"]);
      }
    });

    test.each([
      [{ name: "default" }, 400, "InvalidParameterValue", "/name"],
      [{ name: "" }, 400, "ValidationError", "/name"],
      [{ name: "x".repeat(256) }, 400, "ValidationError", "/name"],
      [{}, 400, "ValidationError", "/name"],
      [{ name: "a", description: "x".repeat(256) }, 400, "ValidationError", "/description"],
      [{ name: "a", description: null }, 400, "ValidationError", "/description"],
      [{ name: "a", rules: [] }, 400, "ValidationError", "/rules"],
      [{ name: "a", vpcId: "vpc-0123456789abcdef0" }, 404, "InvalidVpcID.NotFound", "/vpcId"],
      [{ name: "a", vpcId: UNKNOWN_GROUP }, 400, "ValidationError", "/vpcId"],
    ])("are not made with %j: %i %s", async (input, status, code, pointer) => {
      const body = { vpcId: a.vpcId, ...input };
      const refused = await scene.call(red, "POST", "/security-groups", body);
      expectRefusal(refused, { status, code });
      expect(pointersOf(refused)).toEqual([pointer]);
      expect(await scene.groupsOf(a)).toHaveLength(1);
    });

    test("have their name once in a VPC", async () => {
      const web = await scene.newGroup(a, "web");
      const again = await scene.call(red, "POST", "/security-groups", {
        vpcId: a.vpcId,
        name: "web",
      });
      expectRefusal(again, { status: 409, code: "InvalidGroup.Duplicate", blockedBy: [web] });
      expect(pointersOf(again)).toEqual(["/name"]);
      expect(await scene.newGroup(await scene.vpc(red, "10.2.0.0/16"), "web")).toMatch(/^sg-/);
      expect(await scene.newGroup(a, "Web")).toMatch(/^sg-/);
    });

    test("are so many in a VPC and no more, the default one included", async () => {
      for (const name of ["a", "b", "c"]) await scene.newGroup(a, name);
      const more = () => scene.call(red, "POST", "/security-groups", { vpcId: a.vpcId, name: "d" });
      expectRefusal(await more(), { status: 409, code: "SecurityGroupLimitExceeded", detail: "4" });
      const [, last] = await scene.groupsOf(a);
      await scene.must(204, red, "DELETE", `/security-groups/${last.id}`);
      expect((await more()).status).toBe(201);
    });

    test("go with their VPC, and the default one only so", async () => {
      const [first, web] = [await scene.defaultGroup(a), await scene.newGroup(a, "web")];
      await scene.addedRule(a, web, { ...INGRESS, securityGroupId: first });
      const refused = await scene.call(red, "DELETE", `/security-groups/${first}`);
      const blockedBy = [a.vpcId];
      expectRefusal(refused, {
        status: 409,
        code: "DependencyViolation",
        detail: "default",
        blockedBy,
      });
      await scene.must(204, red, "DELETE", `/vpcs/${a.vpcId}`);
      for (const id of [first, web]) {
        const gone = await scene.call(red, "GET", `/security-groups/${id}`);
        expectRefusal(gone, { status: 404, code: "InvalidGroup.NotFound" });
      }
    });
  });

  describe("interfaces", () => {
    let subnetId: string;
    let web: string;
    let db: string;

    beforeEach(async () => {
      subnetId = await scene.subnet(a, "10.1.1.0/24");
      [web, db] = [await scene.newGroup(a, "web"), await scene.newGroup(a, "db")];
    });

    const membersOf = async (groupId: string): Promise<string[]> => {
      const path = `/network-interfaces?securityGroupId=${groupId}`;
      const { items } = await scene.must(200, red, "GET", path);
      return items.map(({ id }: { id: string }) => id);
    };

    test("made without groups are in the default one", async () => {
      const first = await scene.defaultGroup(a);
      const { body } = await scene.newInterface(a, subnetId);
      expect(body.securityGroupIds).toEqual([first]);
      expect(await membersOf(first)).toEqual([body.id]);
    });

    test("are in the groups asked for, in the order in which those were made", async () => {
      const { status, body } = await scene.newInterface(a, subnetId, [db, web]);
      expect({ status, groups: body.securityGroupIds }).toEqual({ status: 201, groups: [web, db] });
      const path = `/network-interfaces/${body.id}`;
      expect((await scene.must(200, red, "GET", path)).securityGroupIds).toEqual([web, db]);
      const moved = { name: "x", securityGroupIds: [await scene.defaultGroup(a)] };
      expect(await scene.must(200, red, "PATCH", path, moved)).toMatchObject(moved);
      expect(await scene.must(200, red, "PATCH", path, { name: "y" })).toMatchObject({
        name: "y",
        securityGroupIds: moved.securityGroupIds,
      });
      expect(await membersOf(web)).toEqual([]);
      const { items } = await scene.must(200, red, "GET", "/events?limit=1000");
      const told = items.filter((e: { resource: { id: string } }) => e.resource.id === body.id);
      const actions = told.map(({ action }: { action: string }) => action);
      expect(actions).toEqual(["create", "update", "update"]);
    });

    test("with groups that cannot be are refused, and nothing is stored", async () => {
      const other = await scene.vpc(red, "10.2.0.0/16");
      const blue = await scene.vpc(await api.createTenantWithKey("admin"), "10.3.0.0/16");
      const [elsewhere, foreign] = [
        await scene.newGroup(other, "web"),
        await scene.newGroup(blue, "web"),
      ];
      const first = await scene.defaultGroup(a);
      const eni = await scene.member(a, subnetId, web);
      const limit = "SecurityGroupsPerInterfaceLimitExceeded";
      const cases: Array<[unknown, number, string, string[]]> = [
        [[], 400, "ValidationError", ["/securityGroupIds"]],
        [[web, web], 400, "ValidationError", ["/securityGroupIds/1"]],
        [["web"], 400, "ValidationError", ["/securityGroupIds/0"]],
        [null, 400, "ValidationError", ["/securityGroupIds"]],
        [web, 400, "ValidationError", ["/securityGroupIds"]],
        [[web, UNKNOWN_GROUP], 404, "InvalidGroup.NotFound", ["/securityGroupIds/1"]],
        [[elsewhere, web], 404, "InvalidGroup.NotFound", ["/securityGroupIds/0"]],
        [[foreign], 404, "InvalidGroup.NotFound", ["/securityGroupIds/0"]],
        [[first, web, db], 409, limit, []],
      ];
      for (const [groups, status, code, pointers] of cases) {
        const path = `/network-interfaces/${eni}`;
        const answers = [
          await scene.newInterface(a, subnetId, groups),
          await scene.call(red, "PATCH", path, { name: "new", securityGroupIds: groups }),
        ];
        for (const answer of answers) {
          expectRefusal(answer, { status, code });
          expect(pointersOf(answer)).toEqual(pointers);
        }
        const shown = await scene.must(200, red, "GET", path);
        expect(shown).toMatchObject({ name: null, securityGroupIds: [web] });
      }
      const { items } = await scene.must(200, red, "GET", `/network-interfaces?vpcId=${a.vpcId}`);
      expect(items).toHaveLength(1);
    });

    test("and rules keep their groups from being deleted, and are listed", async () => {
      const [one, two] = [
        await scene.member(a, subnetId, web),
        await scene.member(a, subnetId, db, web),
      ];
      const first = await scene.defaultGroup(a);
      const { id } = await scene.addedRule(a, first, { ...INGRESS, securityGroupId: web });
      await scene.addedRule(a, web, { ...INGRESS, securityGroupId: web });
      const remove = () => scene.call(red, "DELETE", `/security-groups/${web}`);
      const code = "DependencyViolation";
      expectRefusal(await remove(), { status: 409, code, blockedBy: [one, two, first] });
      await scene.must(204, red, "DELETE", `/network-interfaces/${one}`);
      await scene.must(200, red, "PATCH", `/network-interfaces/${two}`, { securityGroupIds: [db] });
      expectRefusal(await remove(), { status: 409, code, blockedBy: [first] });
      await scene.must(204, red, "DELETE", `/security-groups/${first}/rules/${id}`);
      expect((await remove()).status).toBe(204);
      expect((await remove()).body.code).toBe("InvalidGroup.NotFound");
    });
  });
});
