import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { authenticate } from "../../../src/services/authentication.js";
import {
  claimKey,
  forgetIdempotencyKeys,
  keepAnswer,
  releaseKey,
} from "../../../src/services/idempotency.js";
import { createVpc } from "../../../src/services/vpcs.js";
import { type Answer, startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

const DAY_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;

describe.each(databaseEngines)("idempotency keys on $name", (engine) => {
  let api: TestApi;
  let admin: TenantKey;
  let ahead = 0;
  let counter = 0;

  beforeAll(async () => {
    const clock = () => new Date(Date.now() + ahead);
    api = await startTestApi(engine, { clock, sweeping: false });
    admin = await api.createTenantWithKey("admin");
  });
  afterEach(() => {
    ahead = 0;
  });
  afterAll(() => api.stop());

  function newKey(): string {
    counter += 1;
    return `key-${counter}`;
  }

  function send(
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    url: string,
    key: string,
    body?: unknown,
    token = admin.token,
  ): Promise<Answer> {
    return api.call(token, method, url, body, { headers: { "idempotency-key": key } });
  }

  const postVpc = (key: string, body: object, token?: string) =>
    send("POST", "/v1/vpcs", key, body, token);

  async function vpcsNamed(name: string, token = admin.token): Promise<string[]> {
    const { body } = await api.call(token, "GET", "/v1/vpcs?limit=1000");
    const named = body.items.filter((vpc: { name: string }) => vpc.name === name);
    return named.map((vpc: { id: string }) => vpc.id);
  }

  /** As a daemon leaves it that dies after the commit and before the answer. */
  async function loseAnswer(key: string): Promise<void> {
    const lost = { answer: null, claimedUntil: new Date(0) };
    const { count } = await api.context.db.idempotencyKey.updateMany({
      where: { key },
      data: lost,
    });
    expect(count).toBe(1);
  }

  test("the same call gets the same answer and changes nothing twice", async () => {
    const key = newKey();
    const first = await postVpc(key, { cidrBlock: "10.0.0.0/16", name: key, tags: { a: "1" } });
    expect(first.status).toBe(201);
    expect(first.headers["idempotent-replayed"]).toBeUndefined();
    const again = await postVpc(key, { tags: { a: "1" }, name: key, cidrBlock: "10.0.0.0/16" });
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers["idempotent-replayed"]).toBe("true");
    expect(again.headers["content-type"]).toBe(first.headers["content-type"]);
    expect(await vpcsNamed(key)).toEqual([first.body.id]);

    const path = `/v1/vpcs/${first.body.id}`;
    const renamed = await send("PATCH", path, newKey(), { name: "other" });
    expect(renamed.body.name).toBe("other");
    const deletion = newKey();
    expect((await send("DELETE", path, deletion)).status).toBe(204);
    const repeated = await send("DELETE", path, deletion);
    expect(repeated).toMatchObject({ status: 204, body: "" });
    expect(repeated.headers["idempotent-replayed"]).toBe("true");
    expect((await api.call(admin.token, "DELETE", path)).status).toBe(404);
  });

  test("another body, path or method under the same key is refused", async () => {
    const key = newKey();
    const { body: vpc } = await postVpc(key, { cidrBlock: "10.0.0.0/16", name: key });
    const other = [
      await postVpc(key, { cidrBlock: "10.0.0.0/16", name: "another" }),
      await send("POST", "/v1/route-tables", key, { vpcId: vpc.id }),
      await send("DELETE", `/v1/vpcs/${vpc.id}`, key),
    ];
    for (const answer of other) {
      expect(answer).toMatchObject({ status: 409, body: { code: "IdempotentParameterMismatch" } });
    }
    expect(await vpcsNamed(key)).toEqual([vpc.id]);
    expect(await vpcsNamed("another")).toEqual([]);
  });

  test("a key belongs to its tenant, and the operator has its own", async () => {
    const key = newKey();
    const stranger = await api.createTenantWithKey("admin");
    const own = await postVpc(key, { cidrBlock: "10.0.0.0/16", name: key });
    const other = await postVpc(key, { cidrBlock: "10.0.0.0/16", name: key }, stranger.token);
    expect(other.status).toBe(201);
    expect(other.body.id).not.toBe(own.body.id);
    const tenant = await send("POST", "/v1/tenants", key, { name: key }, api.operatorToken);
    expect(tenant.status).toBe(201);
    const colleague = await api.addKey(admin.tenantId, "network-admin");
    const same = await postVpc(key, { cidrBlock: "10.0.0.0/16", name: key }, colleague.token);
    expect(same.body).toEqual(own.body);
  });

  test("who may not make the call learns nothing from those who may, nor spoils the key", async () => {
    const viewer = await api.addKey(admin.tenantId, "viewer");
    const key = newKey();
    const body = { cidrBlock: "10.0.0.0/16", name: key };
    const refused = { status: 403, body: { code: "Forbidden" } };
    expect(await postVpc(key, body, viewer.token)).toMatchObject(refused);
    expect((await postVpc(key, body)).status).toBe(201);
    expect(await postVpc(key, body, viewer.token)).toMatchObject(refused);
  });

  test.each([
    ["nothing", ""],
    ["too long a text", "x".repeat(256)],
    ["other letters", "clé"],
    ["a control character", "a\tb"],
  ])("%s is not a key", async (_what, key) => {
    const answer = await postVpc(key, { cidrBlock: "10.0.0.0/16" });
    expect(answer).toMatchObject({ status: 400, body: { code: "ValidationError" } });
    expect(answer.body.errors[0]).toMatchObject({ parameter: "idempotency-key", in: "header" });
  });

  test("the longest key is one", async () => {
    const key = "~ ".repeat(127).padEnd(255, "!");
    expect((await postVpc(key, { cidrBlock: "10.0.0.0/16" })).status).toBe(201);
  });

  test("of many equal calls at once one makes the resource and all show it", async () => {
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => postVpc(key, { cidrBlock: "10.0.0.0/16", name: key })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await vpcsNamed(key)).toEqual([answers[0]?.body.id]);
    for (const { body } of answers) expect(body).toEqual(answers[0]?.body);
    const replayed = answers.filter(({ headers }) => headers["idempotent-replayed"] === "true");
    expect(replayed).toHaveLength(19);
  });

  test("a refusal that states a fact is kept, one of the request's form is not", async () => {
    const { body: vpc } = await postVpc(newKey(), { cidrBlock: "10.0.0.0/16" });
    const body = { vpcId: vpc.id, cidrBlock: "10.0.0.0/24" };
    const { body: inTheWay } = await send("POST", "/v1/subnets", newKey(), body);
    const key = newKey();
    const conflict = await send("POST", "/v1/subnets", key, body);
    expect(conflict).toMatchObject({ status: 409, body: { code: "InvalidSubnet.Conflict" } });
    await send("DELETE", `/v1/subnets/${inTheWay.id}`, newKey());
    expect(await send("POST", "/v1/subnets", key, body)).toMatchObject({
      status: 409,
      body: conflict.body,
    });
    expect((await send("POST", "/v1/subnets", newKey(), body)).status).toBe(201);

    const corrected = newKey();
    expect((await postVpc(corrected, { cidrBlock: "10.0.0.1/16" })).status).toBe(400);
    expect((await postVpc(corrected, { cidrBlock: "10.0.0.0/16" })).status).toBe(201);
  });

  test("a key is forgotten after a day", async () => {
    const key = newKey();
    const body = { cidrBlock: "10.0.0.0/16", name: key };
    const first = await postVpc(key, body);
    ahead = DAY_MS - MINUTE_MS;
    expect((await postVpc(key, body)).body).toEqual(first.body);
    ahead = DAY_MS + MINUTE_MS;
    const next = await postVpc(key, body);
    expect(next.status).toBe(201);
    expect(await vpcsNamed(key)).toEqual([first.body.id, next.body.id]);
    ahead = 3 * DAY_MS;
    await forgetIdempotencyKeys(api.context);
    expect(await api.context.db.idempotencyKey.count()).toBe(0);
  });

  test("a call that fails after its commit is not made again", async () => {
    const key = newKey();
    const body = { cidrBlock: "10.0.0.0/16", name: key };
    vi.spyOn(api.context.waker, "wake").mockImplementationOnce(() => {
      throw new Error("the daemon breaks down here");
    });
    expect((await postVpc(key, body)).status).toBe(500);
    const made = await vpcsNamed(key);
    expect(made).toHaveLength(1);
    const recovered = await postVpc(key, body);
    expect(recovered).toMatchObject({ status: 201, body: { id: made[0], name: key } });
    expect(recovered.headers["idempotent-replayed"]).toBe("true");
    expect(await postVpc(key, body)).toMatchObject({ status: 201, body: recovered.body });
    expect(await vpcsNamed(key)).toEqual(made);
  });

  test("a call that fails before its commit is made again", async () => {
    const key = newKey();
    const body = { cidrBlock: "10.0.0.0/16", name: key };
    vi.spyOn(api.context.db, "$transaction").mockRejectedValueOnce(new Error("breaks down here"));
    expect((await postVpc(key, body)).status).toBe(500);
    const made = await postVpc(key, body);
    expect(made.headers["idempotent-replayed"]).toBeUndefined();
    expect(await vpcsNamed(key)).toEqual([made.body.id]);
  });

  test("every kind of change is answered after a crash, and made once", async () => {
    const { body: red } = await postVpc(newKey(), { cidrBlock: "10.1.0.0/16" });
    const { body: blue } = await postVpc(newKey(), { cidrBlock: "10.2.0.0/16" });
    const crashing = async (
      method: "POST" | "PUT" | "PATCH" | "DELETE",
      url: string,
      body?: unknown,
      token?: string,
    ) => {
      const key = newKey();
      const first = await send(method, url, key, body, token);
      expect(first.status, JSON.stringify(first.body)).toBeLessThan(300);
      const events = await api.context.db.event.count();
      await loseAnswer(key);
      const recovered = await send(method, url, key, body, token);
      expect(recovered.status).toBe(first.status);
      expect(lasting(recovered.body)).toEqual(lasting(first.body));
      expect(recovered.headers["idempotent-replayed"]).toBe("true");
      expect(recovered.headers["cache-control"]).toBe(first.headers["cache-control"]);
      expect(await api.context.db.event.count()).toBe(events);
      return first.body;
    };
    const tenant = await crashing("POST", "/v1/tenants", { name: "t" }, api.operatorToken);
    const tenantPath = `/v1/tenants/${tenant.id}`;
    await crashing("PATCH", tenantPath, { name: "u" }, api.operatorToken);
    const keysPath = `/v1/tenants/${admin.tenantId}/access-keys`;
    const issued = await crashing("POST", keysPath, { roles: ["viewer"] });
    expect((await api.call(issued.token, "GET", "/v1/whoami")).status).toBe(200);
    const named = await crashing("PATCH", `${keysPath}/${issued.id}`, { name: "named" });
    expect(named).not.toHaveProperty("secret");
    await crashing("DELETE", `${keysPath}/${issued.id}`);
    await crashing("PATCH", `/v1/vpcs/${red.id}`, { name: "red" });
    await crashing("POST", `/v1/vpcs/${red.id}/cidr-blocks`, { cidrBlock: "10.3.0.0/16" });
    await crashing("DELETE", `/v1/vpcs/${red.id}/cidr-blocks/10.3.0.0%2F16`);
    const inRed = { vpcId: red.id, cidrBlock: "10.1.0.0/24" };
    const subnet = await crashing("POST", "/v1/subnets", inRed);
    await crashing("PATCH", `/v1/subnets/${subnet.id}`, { name: "s" });
    const eni = await crashing("POST", "/v1/network-interfaces", { subnetId: subnet.id });
    await crashing("DELETE", `/v1/network-interfaces/${eni.id}`);
    const table = await crashing("POST", "/v1/route-tables", { vpcId: red.id });
    const tablePath = `/v1/route-tables/${table.id}`;
    await crashing("POST", `${tablePath}/associations`, { subnetId: subnet.id });
    const ends = { requesterVpcId: red.id, accepterVpcId: blue.id };
    const peering = await crashing("POST", "/v1/vpc-peerings", ends);
    const peeringPath = `/v1/vpc-peerings/${peering.id}`;
    await crashing("POST", `${peeringPath}/accept?wait=10`);
    const options = { allowDnsResolutionFromRemoteVpc: true };
    await crashing("PATCH", `${peeringPath}/options`, options);
    const route = { destinationCidrBlock: "10.2.0.0/24", vpcPeeringId: peering.id };
    await crashing("POST", `${tablePath}/routes`, route);
    const again = await crashing("POST", "/v1/vpc-peerings", await toAnother(red.id));
    const target = { vpcPeeringId: again.id };
    await crashing("PUT", `${tablePath}/routes/10.2.0.0%2F24`, target);
    await crashing("DELETE", `${tablePath}/routes/10.2.0.0%2F24`);
    await crashing("DELETE", `${tablePath}/associations/${subnet.id}`);
    await crashing("DELETE", tablePath);
    await crashing("DELETE", `/v1/subnets/${subnet.id}`);
    await crashing("DELETE", `${peeringPath}?wait=10`);
    await crashing("DELETE", `/v1/vpcs/${red.id}`);
  });

  async function toAnother(requesterVpcId: string) {
    const { body } = await postVpc(newKey(), { cidrBlock: "10.2.0.0/16" });
    return { requesterVpcId, accepterVpcId: body.id };
  }

  test("what was deleted before its answer was asked for again is said to be gone", async () => {
    const key = newKey();
    const body = { cidrBlock: "10.0.0.0/16", name: key };
    const { body: vpc } = await postVpc(key, body);
    await loseAnswer(key);
    await send("DELETE", `/v1/vpcs/${vpc.id}`, newKey());
    const gone = await postVpc(key, body);
    expect(gone).toMatchObject({ status: 404, body: { code: "InvalidVpcID.NotFound" } });
    expect(await vpcsNamed(key)).toEqual([]);
  });

  test("a secret in an answer is stored in no clear text", async () => {
    const key = newKey();
    const url = `/v1/tenants/${admin.tenantId}/access-keys`;
    const { body } = await send("POST", url, key, { roles: ["viewer"] });
    const row = await api.context.db.idempotencyKey.findFirstOrThrow({ where: { key } });
    const stored = Buffer.from(row.answer ?? []);
    expect(stored.length).toBeGreaterThan(body.secret.length);
    for (const encoding of ["utf8", "base64", "hex"] as const) {
      expect(stored.includes(Buffer.from(body.secret).toString(encoding))).toBe(false);
    }
    expect((await send("POST", url, key, { roles: ["viewer"] })).body).toEqual(body);
  });

  test("who was overtaken commits nothing any more", async () => {
    const { context } = api;
    const caller = await authenticate(context, admin.token);
    const key = newKey();
    const slow = await claimKey(context, caller, key, "f");
    ahead = MINUTE_MS;
    const fast = await claimKey(context, caller, key, "f");
    if (slow.kind !== "run" || fast.kind !== "run") throw new Error("both should run");
    const input = { cidrBlock: "10.0.0.0/16", name: key };
    await expect(createVpc(context, { ...caller, claim: slow.claim }, input)).rejects.toMatchObject(
      { code: "IdempotentRequestInProgress" },
    );
    await releaseKey(context, slow.claim);
    await keepAnswer(context, slow.claim, { status: 409, headers: {}, body: "slow" });
    const vpc = await createVpc(context, { ...caller, claim: fast.claim }, input);
    expect(await vpcsNamed(key)).toEqual([vpc.id]);
    const late = claimKey(context, caller, key, "f");
    await keepAnswer(context, fast.claim, { status: 201, headers: {}, body: "fast" });
    expect(await late).toMatchObject({ kind: "replay", answer: { status: 201, body: "fast" } });
  });

  test("many attempts on an abandoned call: one gets it", async () => {
    const { context } = api;
    const caller = await authenticate(context, admin.token);
    const key = newKey();
    const abandoned = await claimKey(context, caller, key, "f");
    ahead = MINUTE_MS;
    const attempts = Array.from({ length: 8 }, () =>
      claimKey(context, caller, key, "f").then(async (verdict) => {
        if (verdict.kind !== "run") return verdict.kind;
        await keepAnswer(context, verdict.claim, { status: 201, headers: {}, body: "done" });
        return verdict.kind;
      }),
    );
    expect(abandoned.kind).toBe("run");
    expect((await Promise.all(attempts)).sort()).toEqual([...Array(7).fill("replay"), "run"]);
  });

  test("a call that stays under way is not waited for without end", async () => {
    const caller = await authenticate(api.context, admin.token);
    const key = newKey();
    await claimKey(api.context, caller, key, "f");
    const waiting = claimKey(api.context, caller, key, "f");
    await expect(waiting).rejects.toMatchObject({ code: "IdempotentRequestInProgress" });
  });
});

/** A resource but for how far the switch has followed, which is read again. */
function lasting(body: Answer["body"]): unknown {
  return typeof body === "object" ? { ...body, dataPlane: undefined } : body;
}
