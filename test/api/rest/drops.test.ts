import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { BackendError } from "../../../src/backends/backend.js";
import type { DropSurvey, InterfaceDrops } from "../../../src/domain/drops.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";

async function makeInterface(api: TestApi, token: string): Promise<{ id: string; path: string }> {
  const vpcId = await api.createVpc(token, "10.0.0.0/16");
  const subnet = { vpcId, cidrBlock: "10.0.0.0/24" };
  const { body } = await api.call(token, "POST", "/v1/subnets", subnet);
  const created = await api.call(token, "POST", "/v1/network-interfaces", { subnetId: body.id });
  expect(created.status).toBe(201);
  const { id } = created.body;
  return { id, path: `/v1/network-interfaces/${id}/drops` };
}

describe.each(answerEngines)("drops with the no-op backend on $name", (engine) => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi(engine);
  });
  afterAll(() => api.stop());

  test("are not counted, and not zero", async () => {
    const { token } = await api.createTenantWithKey("admin");
    const { id, path } = await makeInterface(api, token);
    const { status, body } = await api.call(token, "GET", path);
    expect(status).toBe(200);
    expect(body).toEqual({
      networkInterfaceId: id,
      readAt: expect.any(String),
      since: null,
      reasons: null,
      message: "the no-op backend carries no packets",
    });
    const metrics = await api.call(undefined, "GET", "/metrics");
    expect(metrics.status).toBe(200);
    expect(metrics.body).toContain("patchbay_drop_counters_up 0\n");
    expect(metrics.body).not.toContain("patchbay_dropped_packets_total{");
  });

  test("are for whoever may read the interface", async () => {
    const { tenantId, token } = await api.createTenantWithKey("admin");
    const { path } = await makeInterface(api, token);
    const statusFor = async (who: string) => (await api.call(who, "GET", path)).status;
    const viewer = await api.addKey(tenantId, "viewer");
    const stranger = await api.createTenantWithKey("admin");
    expect(await statusFor(viewer.token)).toBe(200);
    expect(await statusFor(api.operatorToken)).toBe(200);
    const refused = await api.call(stranger.token, "GET", path);
    const code = "InvalidNetworkInterfaceID.NotFound";
    expect(refused).toMatchObject({ status: 404, body: { code } });
  });

  test.each([
    ["eni-0123456789abcdef0", 404, "InvalidNetworkInterfaceID.NotFound"],
    ["eni-x", 400, "ValidationError"],
    ["vpc-0123456789abcdef0", 400, "ValidationError"],
  ])("of %s: %d %s", async (id, status, code) => {
    const { token } = await api.createTenantWithKey("admin");
    const answer = await api.call(token, "GET", `/v1/network-interfaces/${id}/drops`);
    expect(answer).toMatchObject({ status, body: { code } });
  });
});

describe("drops with a switch", () => {
  const none = { packets: 0, bytes: 0 };
  const counts: InterfaceDrops["counts"] = {
    spoofed: { packets: 3, bytes: 180 },
    noRoute: none,
    blackhole: none,
    egressPolicy: none,
    notAdmitted: none,
    ingressPolicy: { packets: 2 ** 40, bytes: 2 ** 50 },
    connectionLimit: none,
  };
  let dropsOf: () => Promise<InterfaceDrops | null>;
  let surveyDrops: () => Promise<DropSurvey | null>;
  let api: TestApi;

  const reset = () => {
    dropsOf = async () => ({ seconds: 10, counts });
    surveyDrops = async () => ({ drops: [], complete: true });
  };

  beforeAll(async () => {
    reset();
    const [engine] = answerEngines;
    if (engine === undefined) throw new Error("no database");
    api = await startTestApi(engine, {
      clock: () => new Date("2026-01-01T00:00:00.000Z"),
      backend: { kind: "ovs", dropsOf: () => dropsOf(), surveyDrops: () => surveyDrops() },
    });
  });
  afterEach(reset);
  afterAll(() => api.stop());

  test("are what it has counted, by reason", async () => {
    const { token } = await api.createTenantWithKey("viewer", "network-admin");
    const { id, path } = await makeInterface(api, token);
    expect(await api.call(token, "GET", path)).toMatchObject({
      status: 200,
      body: {
        networkInterfaceId: id,
        readAt: "2026-01-01T00:00:00.000Z",
        since: "2025-12-31T23:59:50.000Z",
        reasons: counts,
      },
    });
  });

  test("are null while the interface is not plugged in", async () => {
    dropsOf = async () => null;
    const { token } = await api.createTenantWithKey("admin");
    const { id, path } = await makeInterface(api, token);
    const { body } = await api.call(token, "GET", path);
    expect(body).toMatchObject({ reasons: null, since: null });
    expect(body.message).toBe(`no port of the VPC's bridge carries external_ids:iface-id=${id}`);
  });

  test("cannot be told while the switch is away, and nothing of the host is told instead", async () => {
    const secret = "ovs-vswitchd is not running, as far as /run/secret shows";
    dropsOf = () => Promise.reject(new BackendError(secret));
    const { token } = await api.createTenantWithKey("admin");
    const { path } = await makeInterface(api, token);
    const { status, headers, body } = await api.call(token, "GET", path);
    expect({ status, code: body.code }).toEqual({ status: 503, code: "ServiceUnavailable" });
    expect(headers["retry-after"]).toBeDefined();
    expect(body.detail).toMatch(/switch/);
    expect(JSON.stringify(body)).not.toContain("/run/secret");
    expect(api.logged()).toContain("/run/secret");
  });

  test("are asked for only by those who may see the interface", async () => {
    dropsOf = () => Promise.reject(new Error("asked"));
    const owner = await api.createTenantWithKey("admin");
    const { path } = await makeInterface(api, owner.token);
    const stranger = await api.createTenantWithKey("admin");
    expect((await api.call(stranger.token, "GET", path)).status).toBe(404);
  });

  test("are in the metrics, whose scrape does not fail when the switch is away", async () => {
    const place = { networkInterfaceId: "eni-1", vpcId: "vpc-1", reason: "noRoute" as const };
    surveyDrops = async () => ({ drops: [{ ...place, packets: 4, bytes: 400 }], complete: false });
    const { status, body } = await api.call(undefined, "GET", "/metrics");
    expect(status).toBe(200);
    expect(body).toContain(
      'patchbay_dropped_packets_total{vpc="vpc-1",network_interface="eni-1",reason="noRoute"} 4\n',
    );
    expect(body).toContain("patchbay_drop_counters_up 0\n");
  });
});
