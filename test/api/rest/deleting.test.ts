import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  type MockInstance,
  test,
  vi,
} from "vitest";
import { type Answer, startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { expectRefusal, type Owned, Scene } from "../../support/scene.js";

const DELETING = { status: 409, code: "VpcPeeringConnectionDeleting" };

describe.each(answerEngines)("while a peering is being deleted, on $name", (engine) => {
  let api: TestApi;
  let scene: Scene;
  let a: Owned;
  let b: Owned;
  let id: string;
  let asleep: MockInstance;
  let keys = 0;

  beforeAll(async () => {
    api = await startTestApi(engine, { sweeping: false });
    scene = new Scene(api);
    const red = await api.createTenantWithKey("admin");
    const blue = await api.createTenantWithKey("admin");
    a = await scene.vpc(red, "10.1.0.0/16");
    b = await scene.vpc(blue, "10.2.0.0/16");
  });
  afterAll(() => api.stop());

  /** A switch that is in no hurry: nobody is told that there is something to do. */
  beforeEach(async () => {
    id = await scene.peer(a, b);
    asleep = vi.spyOn(api.context.waker, "wake").mockImplementation(() => {});
    await scene.must(200, a.key, "DELETE", `/vpc-peerings/${id}`);
    expect(await scene.stateOf(b, id)).toBe("deleting");
  });
  afterEach(async () => {
    awake();
    await vi.waitFor(async () => expect(await scene.stateOf(a, id)).toBe("deleted"), 30_000);
    const { items } = await scene.must(200, a.key, "GET", "/vpc-peerings?state=pending-acceptance");
    for (const pending of items) {
      const by = pending.requester.vpcId === a.vpcId ? a : b;
      await scene.end(by, pending.id);
    }
  });

  function awake(): void {
    asleep.mockRestore();
    api.context.waker.wake([a.vpcId, b.vpcId]);
  }

  function newKey(): string {
    keys += 1;
    return `key-${keys}`;
  }

  function send(
    by: TenantKey,
    method: "POST" | "DELETE",
    path: string,
    key: string,
    body?: unknown,
  ): Promise<Answer> {
    const headers = { "idempotency-key": key };
    return api.call(by.token, method, `/v1${path}`, body, { headers });
  }

  const ends = (from: Owned, to: Owned) => ({
    requesterVpcId: from.vpcId,
    accepterVpcId: to.vpcId,
    accepterTenantId: to.key.tenantId,
  });
  const ask = (from: Owned, to: Owned, query = "") =>
    scene.call(from.key, "POST", `/vpc-peerings${query}`, ends(from, to));

  test("a new request is refused in either direction, naming it, for now", async () => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const answer = await ask(from, to);
      expectRefusal(answer, { ...DELETING, blockedBy: [id], detail: id });
      expect(answer.headers["retry-after"]).toBe("1");
    }
    const { items } = await scene.must(200, a.key, "GET", "/vpc-peerings?state=pending-acceptance");
    expect(items).toEqual([]);
  });

  test("the refusal is kept under no idempotency key", async () => {
    const [same, opposite] = [newKey(), newKey()];
    for (const [from, to, key] of [
      [a, b, same],
      [b, a, opposite],
    ] as const) {
      const refused = await send(from.key, "POST", "/vpc-peerings", key, ends(from, to));
      expectRefusal(refused, DELETING);
    }
    awake();
    await vi.waitFor(async () => expect(await scene.stateOf(a, id)).toBe("deleted"), 30_000);
    const made = await send(a.key, "POST", "/vpc-peerings", same, ends(a, b));
    expect(made).toMatchObject({ status: 201, body: { state: "pending-acceptance" } });
    expect(made.headers["idempotent-replayed"]).toBeUndefined();
    const replayed = await send(a.key, "POST", "/vpc-peerings", same, ends(a, b));
    expect(replayed).toMatchObject({ status: 201, body: { id: made.body.id } });
    // The other side is told of the new one, and may ask once that is gone.
    const taken = await send(b.key, "POST", "/vpc-peerings", opposite, ends(b, a));
    expectRefusal(taken, { status: 409, code: "VpcPeeringConnectionAlreadyExists" });
    await scene.end(a, made.body.id);
    const turned = await send(b.key, "POST", "/vpc-peerings", opposite, ends(b, a));
    expect(turned.status).toBe(201);
  });

  test("who waits gets a new one when it is deleted, in either direction", async () => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const waits = vi.spyOn(api.context.settlements, "next");
      const asked = ask(from, to, "?wait=30");
      await vi.waitFor(() => expect(waits).toHaveBeenCalled(), 30_000);
      awake();
      const { status, body } = await asked;
      expect({ status, state: body.state }).toEqual({ status: 201, state: "pending-acceptance" });
      expect(body.id).not.toBe(id);
      await scene.end(from, body.id);
      if (from === b) return;
      waits.mockRestore();
      id = await scene.peer(a, b);
      asleep = vi.spyOn(api.context.waker, "wake").mockImplementation(() => {});
      await scene.must(200, a.key, "DELETE", `/vpc-peerings/${id}`);
    }
  });

  test("who waits for less than it takes is refused then", async () => {
    expectRefusal(await ask(a, b, "?wait=0.01"), DELETING);
    expectRefusal(await ask(a, b, "?wait=31"), { status: 400, code: "ValidationError" });
  });

  test("it can be neither accepted nor rejected", async () => {
    for (const action of ["accept", "reject"]) {
      const answer = await scene.call(b.key, "POST", `/vpc-peerings/${id}/${action}`);
      expectRefusal(answer, { status: 409, code: "InvalidStateTransition", detail: /deleting/ });
    }
  });

  test("its VPC can be deleted in a moment, with the same key", async () => {
    const lone = await scene.vpc(a.key, "10.3.0.0/16");
    awake();
    const peering = await scene.peer(lone, b);
    asleep = vi.spyOn(api.context.waker, "wake").mockImplementation(() => {});
    await scene.must(200, a.key, "DELETE", `/vpc-peerings/${peering}`);
    const key = newKey();
    const remove = () => send(a.key, "DELETE", `/vpcs/${lone.vpcId}`, key);
    const refused = await remove();
    expectRefusal(refused, { status: 409, code: "DependencyViolation", blockedBy: [peering] });
    expect(refused.headers["retry-after"]).toBe("1");
    const subnet = await scene.subnet(lone, "10.3.0.0/24");
    const harder = await remove();
    expectRefusal(harder, { ...{ status: 409, code: "DependencyViolation" }, detail: subnet });
    expect(harder.headers["retry-after"]).toBeUndefined();
    await scene.must(204, a.key, "DELETE", `/subnets/${subnet}`);
    asleep.mockRestore();
    api.context.waker.wake([lone.vpcId, b.vpcId]);
    await vi.waitFor(async () => expect((await remove()).status).toBe(204), 30_000);
  });
});

describe.each(answerEngines)("refusals that pass, on $name", (engine) => {
  let api: TestApi;
  let scene: Scene;
  let red: TenantKey;

  beforeAll(async () => {
    api = await startTestApi(engine, { quotas: { vpcsPerTenant: 2 }, sweeping: false });
    scene = new Scene(api);
    red = await api.createTenantWithKey("admin");
  });
  afterAll(() => api.stop());

  const send = (
    token: string,
    method: "POST" | "DELETE",
    url: string,
    key: string,
    body?: object,
  ) => api.call(token, method, `/v1${url}`, body, { headers: { "idempotency-key": key } });

  test("are followed by success under the same key", async () => {
    const [first] = [await scene.vpc(red, "10.1.0.0/16"), await scene.vpc(red, "10.2.0.0/16")];
    const more = () => send(red.token, "POST", "/vpcs", "more", { cidrBlock: "10.3.0.0/16" });
    expectRefusal(await more(), { status: 409, code: "VpcLimitExceeded" });
    const subnet = await scene.subnet(first, "10.1.0.0/24");
    const remove = () => send(red.token, "DELETE", `/vpcs/${first.vpcId}`, "remove");
    expectRefusal(await remove(), { status: 409, code: "DependencyViolation" });
    await scene.must(204, red, "DELETE", `/subnets/${subnet}`);
    expect((await remove()).status).toBe(204);
    expect((await more()).status).toBe(201);

    const chosen = "424242424242";
    const issue = () =>
      send(api.operatorToken, "POST", `/tenants/${chosen}/access-keys`, "issue", {
        roles: ["admin"],
      });
    expectRefusal(await issue(), { status: 404, code: "InvalidTenantID.NotFound" });
    const body = { id: chosen, name: "chosen" };
    expect((await api.call(api.operatorToken, "POST", "/v1/tenants", body)).status).toBe(201);
    expect((await issue()).status).toBe(201);
  });

  test("of a pending request's receiver who deletes it: once it is in force that may be", async () => {
    const blue = await api.createTenantWithKey("admin");
    const [vpc] = (await scene.must(200, red, "GET", "/vpcs")).items;
    const b = await scene.vpc(blue, "10.9.0.0/16");
    const id = await scene.request({ key: red, vpcId: vpc.id }, b);
    const remove = () => send(blue.token, "DELETE", `/vpc-peerings/${id}`, "cut");
    expectRefusal(await remove(), { status: 409, code: "InvalidStateTransition" });
    expect((await scene.accept(b, id)).status).toBe(200);
    expect((await remove()).status).toBe(200);
  });

  test("a rejection is final at once, however long it may take", async () => {
    const blue = await api.createTenantWithKey("admin");
    const [vpc] = (await scene.must(200, red, "GET", "/vpcs")).items;
    const b = await scene.vpc(blue, "10.9.0.0/16");
    const id = await scene.request({ key: red, vpcId: vpc.id }, b);
    const { state, dataPlane } = await scene.must(
      200,
      blue,
      "POST",
      `/vpc-peerings/${id}/reject?wait=30`,
    );
    expect(state).toBe("rejected");
    expect(dataPlane.observedGeneration).toBe(dataPlane.generation);
  });
});
