import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Engine, startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { type Owned, Scene } from "../../support/scene.js";

interface Site extends Owned {
  readonly eni: string;
  readonly ip: string;
  readonly second: string;
  /** The VPC's default group. */
  readonly group: string;
}

const WEB = { protocol: "tcp", port: 443 } as const;
const ANYWHERE = "0.0.0.0/0";

describe.each(answerEngines)("reachability through security groups, on $name", (engine: Engine) => {
  let api: TestApi;
  let scene: Scene;
  let one: TenantKey;
  let two: TenantKey;

  async function site(key: TenantKey, octet: number): Promise<Site> {
    const owned = await scene.vpc(key, `10.${octet}.0.0/16`);
    const subnetId = await scene.subnet(owned, `10.${octet}.1.0/24`);
    const create = () => scene.must(201, key, "POST", "/network-interfaces", { subnetId });
    const [first, second] = [await create(), await create()];
    const path = `/security-groups?vpcId=${owned.vpcId}`;
    const { items } = await scene.must(200, key, "GET", path);
    return {
      ...owned,
      eni: first.id,
      ip: first.privateIp,
      second: second.id,
      group: items.find((group: { default: boolean }) => group.default).id,
    };
  }

  const ask = ({ key, eni }: Site, to: string, more: object = WEB) =>
    scene.must(200, key, "POST", "/reachability", { from: eni, to, ...more });
  const allow = async ({ key, group }: Site, rule: object): Promise<string> =>
    (await scene.must(201, key, "POST", `/security-groups/${group}/rules`, rule)).id;
  const forbid = ({ key, group }: Site, rule: string) =>
    scene.must(204, key, "DELETE", `/security-groups/${group}/rules/${rule}`);

  async function forbidAll(from: Site, direction: "ingress" | "egress"): Promise<void> {
    const { rules } = await scene.must(200, from.key, "GET", `/security-groups/${from.group}`);
    for (const rule of rules) if (rule.direction === direction) await forbid(from, rule.id);
  }

  const ruleHops = (body: { path: { kind: string }[] }) =>
    body.path.filter(({ kind }) => kind === "rule");

  beforeAll(async () => {
    api = await startTestApi(engine);
    scene = new Scene(api);
    one = await api.createTenantWithKey("admin");
    two = await api.createTenantWithKey("admin");
  });

  afterAll(() => api.stop());

  test("a VPC's own interfaces reach one another by the rules of its default group", async () => {
    const a = await site(one, 1);
    const body = await ask(a, a.second);
    expect(body).toMatchObject({ reachable: true, confirmedBySwitch: false, drift: false });
    const { vpcId, group: securityGroupId } = a;
    const hop = { kind: "rule", vpcId, securityGroupId };
    expect(ruleHops(body)).toMatchObject([
      { ...hop, direction: "egress" },
      { ...hop, direction: "ingress" },
    ]);
    expect(body.path.at(-1)).toMatchObject({ kind: "routeBack", target: "local" });
  });

  test("one tenant's peers tell all of both sides, until a rule lets the connection in", async () => {
    const [a, b] = [await site(one, 11), await site(one, 12)];
    const peering = await scene.peer(a, b);
    const stopped = await ask(a, b.eni);
    expect(stopped).toMatchObject({ reachable: false, stoppedBy: "ingressPolicy" });
    expect(stopped.remedy).toContain(b.eni);
    const rule = await allow(b, {
      direction: "ingress",
      protocol: "tcp",
      fromPort: 443,
      toPort: 443,
      securityGroupId: a.group,
    });
    const body = await ask(a, b.eni);
    expect(body.reachable).toBe(true);
    expect(ruleHops(body).at(-1)).toMatchObject({ vpcId: b.vpcId, securityGroupRuleId: rule });
    expect(body.path).toContainEqual({
      kind: "peering",
      vpcPeeringId: peering,
      fromVpcId: a.vpcId,
      toVpcId: b.vpcId,
    });
    expect(await ask(a, b.eni, { protocol: "tcp", port: 444 })).toMatchObject({
      reachable: false,
    });
    expect(await ask(a, b.eni, { protocol: "icmp" })).toMatchObject({ reachable: false });
    expect(await ask(b, a.eni)).toMatchObject({ stoppedBy: "ingressPolicy" });
    await scene.must(200, b.key, "DELETE", `/vpc-peerings/${peering}?wait=10`);
    expect(await ask(a, b.eni)).toMatchObject({ stoppedBy: "noRoute" });
  });

  test("without a route back it is said to be the way back that is missing", async () => {
    const [a, b] = [await site(one, 21), await site(one, 22)];
    const peering = await scene.peer(a, b, { accepter: false });
    await allow(b, { direction: "ingress", protocol: "all", cidrBlock: ANYWHERE });
    const table = await scene.mainTable(b);
    const body = await ask(a, b.eni);
    expect(body).toMatchObject({ reachable: false, stoppedBy: "noRouteBack" });
    expect(body.remedy).toBe(`a route in ${table} to ${peering} for ${a.ip}`);
    await scene.addRoute(b, table, "10.21.0.0/16", peering);
    expect(await ask(a, b.eni)).toMatchObject({ reachable: true });
  });

  test("a stranger's side is reached or not, and nothing else is told of it", async () => {
    const [a, b] = [await site(one, 31), await site(two, 32)];
    await scene.peer(a, b, { accepter: false });
    const nobody = await ask(a, "10.32.1.99");
    expect(nobody).toMatchObject({ reachable: false, stoppedBy: "farSide" });
    expect(nobody.path.map(({ kind }: { kind: string }) => kind)).toEqual([
      "interface",
      "subnet",
      "route",
      "rule",
      "peering",
    ]);
    const same = async (to: string) => expect(await ask(a, to)).toEqual(nobody);
    await same("10.32.77.7");
    await same("10.32.1.1");
    await same(b.ip);
    await allow(b, { direction: "ingress", protocol: "all", cidrBlock: ANYWHERE });
    await same(b.ip);
    const id = nobody.path.at(-1).vpcPeeringId;
    await scene.addRoute(b, await scene.mainTable(b), "10.31.0.0/16", id);
    const reached = await ask(a, b.ip);
    expect(reached).toMatchObject({ reachable: true });
    expect(reached.path).toEqual(nobody.path);
    for (const secret of [b.eni, b.group, await scene.mainTable(b)]) {
      expect(JSON.stringify(reached)).not.toContain(secret);
    }
    const operator = { from: a.eni, to: b.ip, ...WEB };
    const { body } = await api.call(api.operatorToken, "POST", "/v1/reachability", operator);
    expect(body.path.at(-2)).toMatchObject({ kind: "interface", networkInterfaceId: b.eni });
  });

  test("a rule for a stranger's group does not tell who is in it", async () => {
    const [a, b] = [await site(one, 41), await site(two, 42)];
    await scene.peer(a, b);
    const lone = { vpcId: b.vpcId, name: "lone" };
    const { id: group } = await scene.must(201, two, "POST", "/security-groups", lone);
    await scene.must(200, two, "PATCH", `/network-interfaces/${b.eni}`, {
      securityGroupIds: [group],
    });
    await forbidAll(a, "egress");
    expect(await ask(a, b.ip)).toMatchObject({ stoppedBy: "egressPolicy" });
    await allow(a, { direction: "egress", protocol: "all", securityGroupId: group });
    const member = await ask(a, b.ip);
    expect(member).toMatchObject({ stoppedBy: "farSide" });
    expect(await ask(a, "10.42.1.5"), "plugged in, but no member").toEqual(member);
    expect(await ask(a, "10.42.1.99"), "nobody").toEqual(member);
    const open = { direction: "ingress", protocol: "all", cidrBlock: ANYWHERE };
    await scene.must(201, two, "POST", `/security-groups/${group}/rules`, open);
    expect(await ask(a, b.ip)).toMatchObject({ reachable: true });
  });

  test("no rule for the protocol is no rule, by name or by number", async () => {
    const a = await site(one, 51);
    await forbidAll(a, "egress");
    await allow(a, { direction: "egress", protocol: 47, cidrBlock: "10.51.0.0/16" });
    await allow(a, {
      direction: "egress",
      protocol: "udp",
      fromPort: 53,
      toPort: 54,
      cidrBlock: ANYWHERE,
    });
    const reaches = async (more: object) => (await ask(a, a.second, more)).reachable;
    expect(await reaches({ protocol: 47 })).toBe(true);
    expect(await reaches({ protocol: 50 })).toBe(false);
    expect(await reaches({ protocol: "udp", port: 54 })).toBe(true);
    expect(await reaches({ protocol: 17, port: 53 })).toBe(true);
    expect(await reaches({ protocol: "udp", port: 55 })).toBe(false);
    expect(await reaches({ protocol: "tcp", port: 53 })).toBe(false);
    expect(await ask(a, a.second, { protocol: "icmp" })).toMatchObject({
      stoppedBy: "egressPolicy",
    });
  });
});
