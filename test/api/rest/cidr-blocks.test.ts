import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { expectRefusal, type Owned, pointersOf, Scene } from "../../support/scene.js";

const ROUNDS = 6;

describe.each(answerEngines)("CIDR blocks of a VPC on $name", (engine) => {
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

  /** What a side is shown of the blocks of a peering. */
  async function shown({ key }: Owned, id: string): Promise<[string[], string[]]> {
    const { requester, accepter } = await scene.must(200, key, "GET", `/vpc-peerings/${id}`);
    return [requester.cidrBlocks, accepter.cidrBlocks];
  }

  async function pair(autoRoutes = {}) {
    const a = await scene.vpc(red, "10.1.0.0/16");
    const b = await scene.vpc(blue, "10.2.0.0/16");
    return { a, b, id: await scene.peer(a, b, autoRoutes) };
  }

  test("come beside the primary one, hold subnets, and go", async () => {
    const a = await scene.vpc(red, "10.1.0.0/16");
    const added = await scene.addBlock(a, "172.16.0.0/20");
    expect(added).toMatchObject({
      status: 201,
      body: {
        id: a.vpcId,
        cidrBlocks: [
          { cidrBlock: "10.1.0.0/16", primary: true },
          { cidrBlock: "172.16.0.0/20", primary: false },
        ],
      },
    });
    const subnet = await scene.subnet(a, "172.16.1.0/24");
    const table = await scene.must(200, red, "GET", `/route-tables/${await scene.mainTable(a)}`);
    const local = table.routes.map((route: { destinationCidrBlock: string; target: string }) => [
      route.destinationCidrBlock,
      route.target,
    ]);
    expect(local).toEqual([
      ["10.1.0.0/16", "local"],
      ["172.16.0.0/20", "local"],
    ]);
    const inUse = await scene.removeBlock(a, "172.16.0.0/20");
    expectRefusal(inUse, { status: 409, code: "DependencyViolation", blockedBy: [subnet] });
    await scene.must(204, red, "DELETE", `/subnets/${subnet}`);
    expect((await scene.removeBlock(a, "172.16.0.0/20")).status).toBe(204);
    expect(await scene.blocks(a)).toEqual(["10.1.0.0/16"]);
    const again = await scene.removeBlock(a, "172.16.0.0/20");
    expectRefusal(again, { status: 404, code: "NotFound", detail: "172.16.0.0/20" });
    const outside = await scene.call(red, "POST", "/subnets", {
      vpcId: a.vpcId,
      cidrBlock: "172.16.1.0/24",
    });
    expectRefusal(outside, { status: 400, code: "InvalidSubnet.Range" });
  });

  test("the primary one goes with its VPC only", async () => {
    const a = await scene.vpc(red, "10.1.0.0/16");
    await scene.addBlock(a, "10.11.0.0/16");
    const refused = await scene.removeBlock(a, "10.1.0.0/16");
    expectRefusal(refused, { status: 400, code: "InvalidParameterValue", detail: "primary" });
    expect(await scene.blocks(a)).toEqual(["10.1.0.0/16", "10.11.0.0/16"]);
  });

  test.each([
    ["10.3.0.1/16", 400, "InvalidVpcRange", "10.3.0.0/16"],
    ["10.0.0.0/15", 400, "InvalidVpcRange", "/16 to /28"],
    ["127.0.0.0/16", 400, "InvalidVpcRange", "loopback"],
    ["10.3.0.0", 400, "ValidationError", "10.3.0.0"],
    ["fd00::/64", 400, "ValidationError", "fd00::/64"],
    ["10.1.0.0/16", 409, "OverlappingCidr", "10.1.0.0/16 of the VPC itself"],
    ["10.1.4.0/24", 409, "OverlappingCidr", "10.1.0.0/16 of the VPC itself"],
  ])("%s is refused with %i %s", async (block, status, code, detail) => {
    const a = await scene.vpc(red, "10.1.0.0/16");
    const refused = await scene.addBlock(a, block);
    expectRefusal(refused, { status, code, detail });
    expect(pointersOf(refused)).toEqual(["/cidrBlock"]);
    expect(await scene.blocks(a)).toEqual(["10.1.0.0/16"]);
  });

  test("are their tenant's to change, and to nobody else", async () => {
    const a = await scene.vpc(red, "10.1.0.0/16");
    const foreign = { ...a, key: blue };
    for (const answer of [
      await scene.addBlock(foreign, "10.11.0.0/16"),
      await scene.removeBlock(foreign, "10.1.0.0/16"),
    ]) {
      expectRefusal(answer, { status: 404, code: "InvalidVpcID.NotFound" });
    }
  });

  describe("with live peers", () => {
    test("a block that overlaps one of theirs is refused, naming the peering", async () => {
      const { a, b, id } = await pair();
      await scene.addBlock(b, "10.22.0.0/16");
      for (const block of ["10.2.0.0/16", "10.2.4.0/24", "10.22.128.0/17"]) {
        const refused = await scene.addBlock(a, block);
        expectRefusal(refused, { status: 409, code: "OverlappingCidr", blockedBy: [id] });
        expect(pointersOf(refused)).toEqual(["/cidrBlock"]);
      }
      expectRefusal(await scene.addBlock(b, "10.1.0.0/20"), {
        status: 409,
        code: "OverlappingCidr",
        blockedBy: [id],
      });
      await scene.end(a, id);
      expect((await scene.addBlock(a, "10.2.4.0/24")).status).toBe(201);
    });

    test("the other side is shown it, gets a route to it, and loses both with it", async () => {
      const { a, b, id } = await pair();
      await scene.addBlock(a, "10.11.0.0/16");
      await scene.addBlock(b, "10.12.0.0/16");
      for (const side of [a, b]) {
        expect(await shown(side, id)).toEqual([
          ["10.1.0.0/16", "10.11.0.0/16"],
          ["10.2.0.0/16", "10.12.0.0/16"],
        ]);
      }
      const follows = { target: id, state: "active", origin: "peering" };
      expect(await scene.routes(a)).toEqual([
        { destinationCidrBlock: "10.2.0.0/16", ...follows },
        { destinationCidrBlock: "10.12.0.0/16", ...follows },
      ]);
      expect(await scene.routes(b)).toEqual([
        { destinationCidrBlock: "10.1.0.0/16", ...follows },
        { destinationCidrBlock: "10.11.0.0/16", ...follows },
      ]);
      expect((await scene.removeBlock(a, "10.11.0.0/16")).status).toBe(204);
      expect((await shown(b, id))[0]).toEqual(["10.1.0.0/16"]);
      expect(await scene.routes(b)).toMatchObject([{ destinationCidrBlock: "10.1.0.0/16" }]);
      expect(await scene.routes(a)).toHaveLength(2);
    });

    test("the flows of both sides follow", async () => {
      const { a, id } = await pair();
      const bridges = async () => {
        const path = `/v1/vpc-peerings/${id}/flows`;
        const { body } = await api.call(api.operatorToken, "GET", path);
        return body.bridges.map(
          ({ flows }: { flows: string[] }) =>
            flows.filter((flow) => flow.includes("10.11.0.0/16")).length,
        );
      };
      expect(await bridges()).toEqual([0, 0, 0]);
      await scene.addBlock(a, "10.11.0.0/16");
      expect(await bridges()).toEqual([3, 3, 2]);
      await scene.removeBlock(a, "10.11.0.0/16");
      expect(await bridges()).toEqual([0, 0, 0]);
    });

    test("a side that makes its routes itself gets none, and keeps its own", async () => {
      const { a, b, id } = await pair({ requester: true, accepter: false });
      await scene.addBlock(a, "10.11.0.0/16");
      expect(await scene.routes(b)).toEqual([]);
      await scene.addRoute(b, await scene.mainTable(b), "10.11.0.0/16", id);
      await scene.removeBlock(a, "10.11.0.0/16");
      expect(await scene.routes(b)).toMatchObject([
        { destinationCidrBlock: "10.11.0.0/16", origin: "user", state: "active" },
      ]);
    });

    test("a side that has routed the new block otherwise keeps that route", async () => {
      const { a, b, id } = await pair();
      const other = await scene.peer(await scene.vpc(red, "10.3.0.0/16"), b);
      await scene.addRoute(b, await scene.mainTable(b), "10.11.0.0/16", other);
      expect((await scene.addBlock(a, "10.11.0.0/16")).status).toBe(201);
      const routes = (await scene.routes(b)).map((r) => [r.destinationCidrBlock, r.target]);
      expect(routes).toEqual([
        ["10.1.0.0/16", id],
        ["10.3.0.0/16", other],
        ["10.11.0.0/16", other],
      ]);
    });
  });

  test("no route of the VPC may lead to the new block or into it", async () => {
    const { a, id } = await pair({ requester: false });
    const main = await scene.mainTable(a);
    const { id: other } = await scene.must(201, red, "POST", "/route-tables", { vpcId: a.vpcId });
    await scene.addRoute(a, main, "10.11.0.0/16", id);
    await scene.addRoute(a, other, "10.12.4.0/24", id);
    await scene.addRoute(a, other, "10.0.0.0/8", id);
    const equal = await scene.addBlock(a, "10.11.0.0/16");
    expectRefusal(equal, {
      status: 409,
      code: "RouteAlreadyExists",
      detail: "10.11.0.0/16",
      blockedBy: [main],
    });
    const inside = await scene.addBlock(a, "10.12.0.0/16");
    expectRefusal(inside, {
      status: 409,
      code: "RouteAlreadyExists",
      detail: "10.12.4.0/24",
      blockedBy: [other],
    });
    expect((await scene.addBlock(a, "10.13.0.0/16")).status).toBe(201);
  });

  test("a pending request holds nothing up, and fails when it has become impossible", async () => {
    const a = await scene.vpc(red, "10.1.0.0/16");
    const b = await scene.vpc(blue, "10.2.0.0/16");
    const id = await scene.request(a, b);
    expect((await scene.addBlock(a, "10.11.0.0/16")).status).toBe(201);
    expect((await shown(b, id))[0]).toEqual(["10.1.0.0/16", "10.11.0.0/16"]);
    expect((await scene.addBlock(b, "10.11.128.0/17")).status).toBe(201);
    expect(await shown(a, id)).toEqual([["10.1.0.0/16", "10.11.0.0/16"], []]);
    const refused = await scene.accept(b, id);
    expectRefusal(refused, {
      status: 409,
      code: "OverlappingCidr",
      detail: /10\.11\.0\.0\/16.*10\.11\.128\.0\/17/,
    });
    expect(await scene.stateOf(a, id)).toBe("failed");
    expect(await scene.routes(a)).toEqual([]);
  });

  test("a block and an accept that exclude each other never both succeed", async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const a = await scene.vpc(red, "10.1.0.0/16");
      const b = await scene.vpc(blue, "10.2.0.0/16");
      const id = await scene.request(a, b);
      const [added, accepted] = await Promise.all([
        scene.addBlock(a, "10.2.0.0/20"),
        scene.accept(b, id),
      ]);
      outcomes.add([added, accepted].map(({ body }) => body.code ?? "done").join(", "));
    }
    const possible = ["done, OverlappingCidr", "OverlappingCidr, done"];
    expect([...outcomes].filter((outcome) => !possible.includes(outcome))).toEqual([]);
  });

  test("of two peers that add the same block at once, one wins", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { a, b } = await pair();
      const answers = await Promise.all([
        scene.addBlock(a, "10.11.0.0/16"),
        scene.addBlock(b, "10.11.0.0/16"),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    }
  });
});
