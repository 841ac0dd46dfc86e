import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { OperationId } from "../../../src/api/rest/route-table.js";
import { type Answer, startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import {
  callWrite,
  dumpDatabase,
  EVERY_WRITE,
  makeWriteWorld,
  type WriteWorld,
  writeOf,
} from "../../support/every-write.js";

/** These are tried in the end: they take away what others need. */
const LAST: readonly OperationId[] = [
  "deleteSubnet",
  "deleteNetworkInterface",
  "deleteSecurityGroup",
  "deleteVpcPeering",
  "updateTenant",
];
const all = Object.keys(EVERY_WRITE) as OperationId[];
const writes = [...all.filter((operation) => !LAST.includes(operation)), ...LAST];

interface Change {
  readonly resourceType: string;
  readonly resourceId: string;
  readonly action: string;
  readonly before: string | null;
  readonly after: string | null;
}

describe.each(answerEngines)("every write on $name", (engine) => {
  let api: TestApi;
  let world: WriteWorld;

  beforeAll(async () => {
    api = await startTestApi(engine, { sweeping: false });
    world = await makeWriteWorld(api);
  });
  afterAll(() => api.stop());

  test.each(writes)(
    "%s is rehearsed, and then comes out as it was rehearsed",
    async (operation) => {
      const { status, events } = writeOf(operation);
      await untilSettled();
      const before = await dumpDatabase(api);
      const wake = vi.spyOn(api.context.waker, "wake");
      const key = { "idempotency-key": `of ${operation}` };
      const tried = await callWrite(api, world, operation, "?dryRun=true", key);
      expect(tried.status, JSON.stringify(tried.body)).toBe(200);
      expect(tried.body).toMatchObject({ dryRun: true, status });
      expect(tried.body.changes.map(inWords)).toEqual(events);
      expect(await dumpDatabase(api)).toBe(before);
      expect(wake).not.toHaveBeenCalled();
      wake.mockRestore();

      const newest = await newestEvent();
      const done = await callWrite(api, world, operation, "?dryRun=false", key);
      expect(done.status, JSON.stringify(done.body)).toBe(status);
      expect(shapeOf(done.body)).toEqual(shapeOf(tried.body.body ?? ""));
      expect(tried.body.changes.map(withoutId)).toEqual(
        (await changesSince(newest)).map(withoutId),
      );
    },
  );

  /** Of the test before: what the reconciler stores in its own time. */
  function untilSettled(): Promise<void> {
    const where = { state: { in: ["provisioning", "deleting"] } };
    return vi.waitFor(async () => expect(await api.context.db.vpcPeering.count({ where })).toBe(0));
  }

  async function newestEvent(): Promise<number> {
    const { body } = await api.call(api.operatorToken, "GET", "/v1/events?limit=1000");
    return body.nextAfter;
  }

  /** What the calls recorded themselves: a peering is settled in its own time. */
  async function changesSince(newest: number): Promise<Change[]> {
    const { body } = await api.call(api.operatorToken, "GET", `/v1/events?after=${newest}`);
    const items = body.items.filter(
      ({ actor }: { actor: { kind: string } }) => actor.kind !== "system",
    );
    return items.map(({ resource, action, before, after }: ReturnType<JSON["parse"]>) => {
      return { resourceType: resource.type, resourceId: resource.id, action, before, after };
    });
  }
});

describe.each(answerEngines)("a dry run on $name", (engine) => {
  let api: TestApi;
  let world: WriteWorld;
  const clock = { now: new Date("2026-01-01T00:00:00Z") };

  beforeAll(async () => {
    api = await startTestApi(engine, { sweeping: false, clock: () => clock.now });
    world = await makeWriteWorld(api);
  });
  afterAll(() => api.stop());

  const owner = (method: "POST" | "PATCH" | "DELETE", url: string, body?: unknown) =>
    api.call(world.owner, method, url, body);

  test("shows no secret of a key that it does not issue", async () => {
    const { body } = await callWrite(api, world, "createAccessKey", "?dryRun=true");
    expect(Object.keys(body.body).sort()).toEqual([
      "createdAt",
      "id",
      "lastUsedAt",
      "name",
      "roles",
      "tenantId",
    ]);
    expect(JSON.stringify(body)).not.toMatch(/secret|token/);
  });

  test("of a suspension or a revocation keeps nobody out", async () => {
    const { tenantId, keyId, token } = await api.createTenantWithKey("admin");
    const path = `/v1/tenants/${tenantId}`;
    const suspension = { suspended: true };
    const operator = api.operatorToken;
    const suspended = await api.call(operator, "PATCH", `${path}?dryRun=true`, suspension);
    expect(suspended.body.body.suspended).toBe(true);
    expect((await api.call(token, "GET", "/v1/whoami")).status).toBe(200);
    const revoking = `${path}/access-keys/${keyId}?dryRun=true`;
    expect((await api.call(token, "DELETE", revoking)).body).toMatchObject({
      status: 204,
      body: null,
    });
    expect((await api.call(token, "GET", "/v1/whoami")).status).toBe(200);
  });

  test("claims no idempotency key, and is not answered from one", async () => {
    const key = { headers: { "idempotency-key": "the same" } };
    const make = (query: string) =>
      api.call(world.owner, "POST", `/v1/vpcs${query}`, { cidrBlock: "10.50.0.0/16" }, key);
    expect((await make("?dryRun=true")).status).toBe(200);
    const made = await make("");
    expect(made.status).toBe(201);
    expect(made.headers["idempotent-replayed"]).toBeUndefined();
    expect((await make("?dryRun=true")).body).toMatchObject({ dryRun: true, status: 201 });
    expect((await make("")).body.id).toBe(made.body.id);
  });

  test("waits for nothing", async () => {
    const { active } = world.ids;
    const tried = await owner("DELETE", `/v1/vpc-peerings/${active}?dryRun=true&wait=30`);
    expect(tried.body.body.state).toBe("deleting");
  });

  test("is refused as the call itself", async () => {
    const { vpc, subnet, group, table, active, tenant } = world.ids;
    const blocked = [
      ["DELETE", `/v1/vpcs/${vpc}`, undefined, 409],
      ["DELETE", `/v1/subnets/${subnet}`, undefined, 409],
      ["DELETE", `/v1/security-groups/${group}`, undefined, 409],
      ["DELETE", `/v1/route-tables/${table}`, undefined, 409],
      ["POST", `/v1/vpc-peerings/${active}/reject`, undefined, 409],
      ["POST", "/v1/subnets", { vpcId: vpc, cidrBlock: "10.0.0.0/25" }, 409],
      ["POST", `/v1/vpcs/${vpc}/cidr-blocks`, { cidrBlock: "10.1.0.0/16" }, 409],
      ["POST", "/v1/vpcs", { cidrBlock: "10.0.0.1/16" }, 400],
      ["DELETE", "/v1/vpcs/vpc-0123456789abcdef0", undefined, 404],
      ["PATCH", `/v1/tenants/${tenant}`, { suspended: true }, 403],
    ] as const;
    const before = await dumpDatabase(api);
    for (const [method, url, body, status] of blocked) {
      const tried = await owner(method, `${url}?dryRun=true`, body);
      const made = await owner(method, url, body);
      expect(made.status, JSON.stringify(made.body)).toBe(status);
      expect(problemOf(tried)).toEqual(problemOf(made));
    }
    expect(await dumpDatabase(api)).toBe(before);
  });

  test("of a request that has expired leaves it to the call to end it", async () => {
    const { received } = world.ids;
    const start = clock.now;
    clock.now = new Date(start.getTime() + 8 * 86_400_000);
    const before = await dumpDatabase(api);
    const url = `/v1/vpc-peerings/${received}/accept`;
    const tried = await owner("POST", `${url}?dryRun=true`);
    expect(tried.body.code).toBe("InvalidStateTransition");
    expect(await dumpDatabase(api)).toBe(before);
    expect(problemOf(await owner("POST", url))).toEqual(problemOf(tried));
    clock.now = start;
  });

  test("tells nothing of whether the other side of a request is there", async () => {
    const { vpc, strangersVpc, stranger } = world.ids;
    const ask = (accepterVpcId: string, accepterTenantId: string) =>
      owner("POST", "/v1/vpc-peerings?dryRun=true", {
        requesterVpcId: vpc,
        accepterVpcId,
        accepterTenantId,
      });
    const real = await ask(strangersVpc, stranger);
    const doomed = [
      await ask("vpc-0123456789abcdef0", stranger),
      await ask(strangersVpc, "000000000001"),
    ];
    const shown = ({ body }: Answer) => ({
      ...body,
      body: { ...body.body, id: "", accepter: "", statusMessage: "", createdAt: "", expiresAt: "" },
      changes: body.changes.map(withoutId),
    });
    for (const answer of doomed) expect(shown(answer)).toEqual(shown(real));
    expect(real.body.changes).toHaveLength(1);
  });

  test("shows a role that may not read events only what it does itself", async () => {
    const { token } = await api.addKey(world.ids.tenant, "network-admin");
    const { vpc } = world.ids;
    const url = `/v1/vpcs/${vpc}?dryRun=true`;
    const { body } = await api.call(token, "PATCH", url, { name: "tried" });
    expect(body.changes.map(inWords)).toEqual(["vpc update"]);
  });
});

function inWords({ resourceType, action }: Change): string {
  return `${resourceType} ${action}`;
}

/** What is made has another id each time. */
function withoutId({ resourceId, ...change }: Change) {
  return { ...change, kind: resourceId.replace(/[0-9a-f]{17}$|[0-9A-Z]{16,}$|[0-9]{12}$/, "") };
}

/** The names of the fields of an answer. */
function shapeOf(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(shapeOf);
  if (typeof body !== "object" || body === null) return typeof body;
  const shown = Object.entries(body).filter(([name]) => name !== "secret" && name !== "token");
  return Object.fromEntries(shown.map(([name, value]) => [name, shapeOf(value)]));
}

function problemOf({ status, headers, body }: Answer) {
  const { instance: _, requestId: __, ...problem } = body;
  return { status, type: headers["content-type"], problem };
}
