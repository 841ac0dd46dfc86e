import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { type Owned, Scene } from "../../support/scene.js";

interface Site extends Owned {
  readonly eni: string;
  readonly ip: string;
}

describe.each(answerEngines)("reachability of contested addresses, on $name", (engine) => {
  let api: TestApi;
  let scene: Scene;
  /** V is peered with W and A, three tenants'; A has added a part of W's block, with a host in it. */
  let v: Site;
  let w: Site;
  let a: Site;
  let toW: string;
  let toA: string;

  async function host(at: Owned, block: string): Promise<Site> {
    const subnetId = await scene.subnet(at, block);
    const { items } = await scene.must(200, at.key, "GET", `/security-groups?vpcId=${at.vpcId}`);
    const rule = { direction: "ingress", protocol: "all", cidrBlock: "0.0.0.0/0" };
    await scene.must(201, at.key, "POST", `/security-groups/${items[0].id}/rules`, rule);
    const eni = await scene.must(201, at.key, "POST", "/network-interfaces", { subnetId });
    return { ...at, eni: eni.id, ip: eni.privateIp };
  }

  const newKey = (): Promise<TenantKey> => api.createTenantWithKey("admin");
  const ask = (from: Site, to: string) =>
    scene.must(200, from.key, "POST", "/reachability", { from: from.eni, to, protocol: "icmp" });

  beforeAll(async () => {
    api = await startTestApi(engine);
    scene = new Scene(api);
    v = await host(await scene.vpc(await newKey(), "10.1.0.0/16"), "10.1.1.0/24");
    w = await host(await scene.vpc(await newKey(), "10.3.0.0/16"), "10.3.5.0/24");
    const inA = await scene.vpc(await newKey(), "10.2.0.0/16");
    [toW, toA] = [await scene.peer(v, w), await scene.peer(v, inA)];
    expect((await scene.addBlock(inA, "10.3.5.0/24")).status).toBe(201);
    a = await host(inA, "10.3.5.0/24");
  });
  afterAll(() => api.stop());

  const both = () => [
    { cidrBlock: "10.3.5.0/24", vpcPeeringId: toA, withheld: true },
    { cidrBlock: "10.3.0.0/16", vpcPeeringId: toW, withheld: false },
  ];

  test("names both blocks where it is reached, and where nobody is there", async () => {
    expect(w.ip).toBe(a.ip);
    expect(await ask(v, w.ip)).toMatchObject({ reachable: true, contested: both() });
    const nobody = await ask(v, "10.3.5.99");
    expect(nobody).toMatchObject({ stoppedBy: "farSide", contested: both() });
  });

  test("tells a peer nothing of what its own routes' being withheld has to do with", async () => {
    const told = await ask(a, v.ip);
    expect(told).toMatchObject({ reachable: false, stoppedBy: "farSide" });
    expect(JSON.stringify(told)).not.toMatch(/contested|withheld|10\.3\.0\.0\/16/);
    expect(JSON.stringify(told)).not.toContain(toW);
    expect(await ask(w, v.ip)).toMatchObject({ reachable: true });
    expect(JSON.stringify(await ask(w, v.ip))).not.toMatch(/contested|withheld/);
  });

  test("says why there is no route, and what to do about it", async () => {
    const table = await scene.mainTable(v);
    const path = `/route-tables/${table}/routes/${encodeURIComponent("10.3.0.0/16")}`;
    await scene.must(204, v.key, "DELETE", path);
    const told = await ask(v, a.ip);
    expect(told).toMatchObject({ stoppedBy: "noRoute", contested: both() });
    expect(told.reason).toMatch(/contested/);
    expect(told.reason).toContain(`${toA} (10.3.5.0/24, whose route was withheld from ${table})`);
    expect(told.remedy).toContain(`a route for ${a.ip} in ${table}`);
    expect((await scene.addRoute(v, table, "10.3.5.0/24", toA)).status).toBe(201);
    expect(await ask(v, a.ip)).toMatchObject({
      reachable: true,
      contested: both()
        .reverse()
        .map((block) => ({ ...block, withheld: false })),
    });
  });
});
