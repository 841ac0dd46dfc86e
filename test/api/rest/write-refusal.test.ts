import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { anyRefusal } from "../../../src/api/plugins/write-refusal.js";
import { changesSomething, operationIds, routeEntry } from "../../../src/api/rest/route-table.js";
import { DomainError } from "../../../src/domain/errors.js";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

const refusal = new DomainError("SwitchHeldByAnother", "somebody else works on the switch");
const REFUSED = { status: 503, body: { code: "SwitchHeldByAnother", detail: refusal.message } };

let isRefused = false;
let api: TestApi;
let key: TenantKey;

beforeAll(async () => {
  const [engine] = databaseEngines;
  if (engine === undefined) throw new Error("there is no database to test on");
  const writeRefusal = anyRefusal(
    () => undefined,
    () => (isRefused ? refusal : undefined),
  );
  api = await startTestApi(engine, { writeRefusal });
});

beforeEach(async () => {
  isRefused = false;
  key ??= await api.createTenantWithKey("admin");
});

afterAll(() => api.stop());

const call = (operationId: ReturnType<typeof operationIds>[number], token: string | undefined) => {
  const { method, url } = routeEntry(operationId);
  return api.call(token, method, url.replaceAll(/:\w+/g, "x"));
};

const writes = operationIds().filter((id) => changesSomething(routeEntry(id)));
const reads = operationIds().filter((id) => !writes.includes(id) && id !== "streamEvents");

test.each(writes)("%s is refused before anything else but the credential", async (operationId) => {
  isRefused = true;
  expect(await call(operationId, key.token)).toMatchObject(REFUSED);
  expect(await call(operationId, api.operatorToken)).toMatchObject(REFUSED);
  expect((await call(operationId, undefined)).status).toBe(401);
});

test.each(reads)("%s is answered as ever", async (operationId) => {
  const before = await call(operationId, api.operatorToken);
  isRefused = true;
  const { status, body } = await call(operationId, api.operatorToken);
  if (operationId === "readyz") expect(status).toBe(503);
  else expect(status).toBe(before.status);
  expect(body.code).not.toBe("SwitchHeldByAnother");
});

describe("while calls that change something are refused", () => {
  const create = (headers: Record<string, string>) =>
    api.call(key.token, "POST", "/v1/vpcs", { cidrBlock: "10.0.0.0/16" }, { headers });

  test("nothing is stored, no key is claimed, and no kept answer is given", async () => {
    const kept = { "idempotency-key": "kept" };
    const fresh = { "idempotency-key": "fresh" };
    const first = await create(kept);
    isRefused = true;
    expect(await create(kept)).toMatchObject(REFUSED);
    const refused = await create(fresh);
    expect(refused).toMatchObject(REFUSED);
    expect(refused.headers["retry-after"]).toBeDefined();
    const listed = await api.call(key.token, "GET", "/v1/vpcs");
    expect(listed.body.items.map(({ id }: { id: string }) => id)).toEqual([first.body.id]);
    isRefused = false;
    expect(await create(kept)).toMatchObject({ status: 201, body: { id: first.body.id } });
    expect((await create(fresh)).headers["idempotent-replayed"]).toBeUndefined();
  });

  test("the daemon is not ready, and says why", async () => {
    isRefused = true;
    const { status, body } = await api.call(undefined, "GET", "/readyz");
    expect(status).toBe(503);
    const check = { name: "writes", ok: false, message: refusal.message };
    expect(body.checks).toContainEqual(check);
    expect((await api.call(undefined, "GET", "/livez")).status).toBe(200);
    isRefused = false;
    expect((await api.call(undefined, "GET", "/readyz")).status).toBe(200);
  });
});
