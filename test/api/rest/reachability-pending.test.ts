import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Engine, startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { type Owned, Scene } from "../../support/scene.js";

interface Site extends Owned {
  readonly eni: string;
  readonly ip: string;
}

describe.each(answerEngines)("a peering that waits to be accepted, on $name", (engine: Engine) => {
  let api: TestApi;
  let scene: Scene;
  let one: TenantKey;
  let two: TenantKey;
  let octet = 0;

  beforeAll(async () => {
    api = await startTestApi(engine);
    scene = new Scene(api);
    one = await api.createTenantWithKey("admin");
    two = await api.createTenantWithKey("admin");
  });
  afterAll(() => api.stop());

  async function site(key: TenantKey, block?: string): Promise<Site> {
    octet += 1;
    const owned = await scene.vpc(key, block ?? `10.${octet}.0.0/16`);
    const subnet = await scene.subnet(owned, (block ?? `10.${octet}.0.0/16`).replace("/16", "/24"));
    const eni = await scene.must(201, key, "POST", "/network-interfaces", { subnetId: subnet });
    return { ...owned, eni: eni.id, ip: eni.privateIp };
  }

  const ask = ({ key, eni }: Site, to: string, more: object = {}) =>
    scene.must(200, key, "POST", "/reachability", { from: eni, to, protocol: "icmp", ...more });

  test("is named between one's own VPCs, until it is accepted", async () => {
    const [a, b] = [await site(one), await site(one)];
    const before = await ask(a, b.eni);
    expect(before).toMatchObject({ stoppedBy: "noRoute" });
    expect(before).not.toHaveProperty("pendingPeering");
    const id = await scene.request(a, b);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      for (const target of [to.eni, to.ip]) {
        const told = await ask(from, target, { plan: true });
        expect(told).toMatchObject({ stoppedBy: "noRoute", pendingPeering: id });
        expect(told.reason).toContain(`${id} has been asked for`);
        expect(told.remedy).toContain(`${id} accepted`);
      }
    }
    await scene.accept(b, id);
    const after = await ask(a, b.eni);
    expect(after).not.toHaveProperty("pendingPeering");
    expect(after.stoppedBy).not.toBe("noRoute");
  });

  test("is named to its accepter, who sees the blocks, and not to its requester", async () => {
    const [a, b] = [await site(one), await site(two)];
    const id = await scene.request(a, b);
    expect(await ask(b, a.ip)).toMatchObject({ stoppedBy: "noRoute", pendingPeering: id });
    expect(await ask(b, "10.250.0.4")).not.toHaveProperty("pendingPeering");
    const told = await ask(a, b.ip);
    expect(told.stoppedBy).toBe("noRoute");
    expect(told).not.toHaveProperty("pendingPeering");
    const question = { from: a.eni, to: b.ip, protocol: "icmp" };
    const operators = await api.call(api.operatorToken, "POST", "/v1/reachability", question);
    expect(operators.body).toMatchObject({ pendingPeering: id });
  });

  test("is named to its requester where a route leads to it, whatever its blocks are", async () => {
    const [a, b] = [await site(one), await site(two)];
    const id = await scene.request(a, b, { autoRoutes: false });
    await scene.addRoute(a, await scene.mainTable(a), "10.240.0.0/12", id);
    for (const to of [b.ip, "10.241.1.1"]) {
      const inRoute = to.startsWith("10.24");
      const told = await ask(a, to);
      expect(told.stoppedBy).toBe(inRoute ? "blackhole" : "noRoute");
      expect(told.pendingPeering).toBe(inRoute ? id : undefined);
    }
    await scene.must(200, b.key, "POST", `/vpc-peerings/${id}/reject`);
    expect(await ask(a, "10.241.1.1")).not.toHaveProperty("pendingPeering");
  });

  test("of a request that cannot succeed, its accepter learns nothing", async () => {
    const b = await site(two);
    const block = `10.${octet}.0.0/16`;
    const a = await site(one, block);
    await scene.addBlock(a, "10.251.0.0/16");
    await scene.request(a, b);
    expect(await ask(b, "10.251.0.4")).not.toHaveProperty("pendingPeering");
  });

  test("is not named where an active peering waits for a route, or another VPC is meant", async () => {
    const [a, b, c] = [await site(one), await site(one), await site(one)];
    await scene.request(a, c);
    const id = await scene.peer(a, b, { requester: false });
    const unrouted = await ask(a, b.eni);
    expect(unrouted).toMatchObject({ stoppedBy: "noRoute" });
    expect(unrouted.remedy).toContain(`a route to ${id}`);
    expect(unrouted).not.toHaveProperty("pendingPeering");
    const twin = await site(one, (await scene.blocks(c))[0]);
    expect(await ask(a, twin.eni)).not.toHaveProperty("pendingPeering");
  });
});
