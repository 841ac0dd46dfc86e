import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { formatIp } from "../../../src/domain/cidr.js";
import { loadIntent } from "../../../src/store/intent-snapshot.js";
import { type Answer, startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { GroupScene } from "../../support/group-scene.js";
import type { Owned } from "../../support/scene.js";

const MOST = 2;
const ANY = { direction: "ingress", protocol: "all" };

describe.each(answerEngines)("members that a peer's group may bring, on $name", (engine) => {
  let api: TestApi;
  let scene: GroupScene;
  let red: TenantKey;
  let blue: TenantKey;
  let a: Owned;
  let b: Owned;
  let web: string;
  let theirs: string;
  let subnet: string;
  let peering: string;

  beforeAll(async () => {
    api = await startTestApi(engine, { quotas: { peerGroupMembers: MOST }, sweeping: false });
    scene = new GroupScene(api);
  });
  afterAll(() => api.stop());

  beforeEach(async () => {
    red = await api.createTenantWithKey("admin");
    blue = await api.createTenantWithKey("admin");
    a = await scene.vpc(red, "10.1.0.0/16");
    b = await scene.vpc(blue, "10.2.0.0/16");
    web = await scene.newGroup(a, "web");
    theirs = await scene.newGroup(b, "theirs");
    subnet = await scene.subnet(b, "10.2.1.0/24");
    peering = await scene.peer(a, b);
  });

  const naming = () => scene.addedRule(a, web, { ...ANY, securityGroupId: theirs });
  const member = () => scene.member(b, subnet, theirs);
  const regroup = (eni: string, ...securityGroupIds: string[]) =>
    scene.must(200, blue, "PATCH", `/network-interfaces/${eni}`, { securityGroupIds });

  async function told(key: TenantKey): Promise<Answer["body"][]> {
    const { items } = await scene.must(200, key, "GET", "/events?limit=1000");
    return items.filter(({ action }: { action: string }) => /^(un)?limited$/.test(action));
  }

  async function inForce(): Promise<string[]> {
    const { vpcs } = await loadIntent(api.context.db, new Set([a.vpcId]), api.context.quotas);
    const groups = vpcs.get(a.vpcId)?.peerGroups ?? [];
    const abroad = groups.filter(({ vpcId }) => vpcId === b.vpcId);
    return abroad.flatMap(({ members }) => members.map(({ ip }) => formatIp(ip)));
  }

  const SOME = { limited: true, membersInForce: MOST, message: expect.stringContaining("first 2") };
  const ALL = { limited: false, membersInForce: null, message: null };

  /** As the rule's own answer, its group's and the list say. */
  async function shown(rule: string): Promise<object> {
    const path = `/security-groups/${web}/rules/${rule}`;
    const { dataPlane: _, ...single } = await scene.must(200, red, "GET", path);
    const find = (rules: { id: string }[]) => rules.find(({ id }) => id === rule);
    expect(find(await scene.rules(a, web))).toEqual(single);
    const listed = (await scene.groupsOf(a)).find(({ id }) => id === web);
    expect(find(listed.rules)).toEqual(single);
    return single;
  }

  test("the first stay in force, the rule is marked, and its owner alone is told", async () => {
    const { id, ...answer } = await naming();
    expect(answer).toMatchObject(ALL);
    const enis = [await member(), await member()];
    expect(await shown(id)).toMatchObject(ALL);
    expect(await told(red)).toEqual([]);
    enis.push(await member(), await member());
    expect(await shown(id)).toMatchObject(SOME);
    expect(await inForce()).toEqual(["10.2.1.4", "10.2.1.5"]);
    const limited = {
      resource: { type: "security-group", id: web },
      action: "limited",
      actor: { kind: "system", tenantId: null, accessKeyId: null },
    };
    expect(await told(red)).toEqual([expect.objectContaining(limited)]);
    await regroup(enis[0] ?? "", await scene.defaultGroup(b));
    expect(await inForce()).toEqual(["10.2.1.5", "10.2.1.6"]);
    expect(await shown(id)).toMatchObject(SOME);
    await scene.must(204, blue, "DELETE", `/network-interfaces/${enis[3]}`);
    expect(await shown(id)).toMatchObject(ALL);
    await regroup(enis[0] ?? "", theirs);
    expect(await inForce(), "an older one").toEqual(["10.2.1.4", "10.2.1.5"]);
    expect((await told(red)).map(({ action }) => action)).toEqual([
      "limited",
      "unlimited",
      "limited",
    ]);
    expect(await told(blue)).toEqual([]);
  });

  test("a rule that names a group which is too large already is marked from the start", async () => {
    for (let i = 0; i <= MOST; i += 1) await member();
    const { id, ...answer } = await naming();
    expect(answer).toMatchObject({ stale: false, ...SOME });
    expect((await told(red)).map(({ action }) => action)).toEqual(["limited"]);
    await scene.end(b, peering);
    expect(await shown(id), "of a group out of reach nothing is told").toMatchObject({
      stale: true,
      ...ALL,
    });
    await scene.peer(b, a);
    expect(await shown(id)).toMatchObject({ stale: false, ...SOME });
    expect((await told(red)).map(({ action }) => action)).toEqual(["limited", "limited"]);
    expect(await told(blue)).toEqual([]);
  });

  test("a member counts as often as it has addresses, and is in force with all of them or none", async () => {
    const { id } = await naming();
    const [first, second] = [await member(), await member()];
    expect(await shown(id)).toMatchObject(ALL);
    const readdress = (eni: string, addresses: object) =>
      scene.must(200, blue, "PATCH", `/network-interfaces/${eni}`, addresses);
    await readdress(second, { secondaryPrivateIps: ["10.2.1.20"] });
    expect(await inForce()).toEqual(["10.2.1.4"]);
    expect(await shown(id)).toMatchObject(SOME);
    await readdress(second, { secondaryPrivateIps: [] });
    expect(await inForce()).toEqual(["10.2.1.4", "10.2.1.5"]);
    await readdress(first, { allowedAddressPairs: [{ ipAddress: "10.2.1.64/28" }] });
    expect(await inForce()).toEqual(["10.2.1.4"]);
    expect((await told(red)).map(({ action }) => action)).toEqual([
      "limited",
      "unlimited",
      "limited",
    ]);
  });

  test("a group of the same VPC is not limited", async () => {
    const { id } = await scene.addedRule(b, theirs, { ...ANY, securityGroupId: theirs });
    for (let i = 0; i <= MOST; i += 1) await member();
    expect((await scene.rules(b, theirs)).find((rule) => rule.id === id)).toMatchObject(ALL);
    expect(await told(blue)).toEqual([]);
  });

  test("reachability says of whom beyond the limit that he is not in force, and why", async () => {
    const { id: rule } = await naming();
    const eni = await scene.member(a, await scene.subnet(a, "10.1.1.0/24"), web);
    const { privateIp } = await scene.must(200, red, "GET", `/network-interfaces/${eni}`);
    const enis = [await member(), await member(), await member()];
    const ask = async (from = "") => {
      const question = { from, to: privateIp, protocol: "icmp" };
      return (await api.call(api.operatorToken, "POST", "/v1/reachability", question)).body;
    };
    const byTenant = { from: enis[2], to: privateIp, protocol: "icmp" };
    for (const from of enis.slice(0, MOST))
      expect(await ask(from)).toMatchObject({ reachable: true });
    const { stoppedBy, reason } = await ask(enis[2]);
    expect(stoppedBy).toBe("ingressPolicy");
    expect(reason).toMatch(/sgr-\w+ names a group with more members .* 10\.2\.1\.6 is not among/);
    const hidden = await scene.must(200, blue, "POST", "/reachability", byTenant);
    expect(hidden).toMatchObject({ stoppedBy: "farSide" });
    expect(JSON.stringify(hidden)).not.toContain(rule);
  });
});
