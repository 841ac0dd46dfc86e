import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Binding } from "../../../src/domain/data-plane.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { makeWriteWorld, type WriteWorld } from "../../support/every-write.js";

const PLUGGED_IN: readonly Binding[] = [
  { kind: "bound", port: "veth7" },
  { kind: "dead", port: "veth7", message: "its device is gone" },
  { kind: "conflict", message: "two ports claim it" },
];

describe.each(answerEngines)("an interface that is plugged in, on $name", (engine) => {
  let binding: Binding = { kind: "unbound" };
  let api: TestApi;
  let world: WriteWorld;

  beforeAll(async () => {
    api = await startTestApi(engine, { backend: { binding: () => binding } });
    world = await makeWriteWorld(api);
  });
  afterAll(() => api.stop());

  const call = (method: "GET" | "DELETE", query = "", token = world.owner) =>
    api.call(token, method, `/v1/network-interfaces/${world.ids.eni}${query}`);

  test.each(PLUGGED_IN)("is not deleted: $kind", async (how) => {
    binding = how;
    for (const query of ["", "?force=false", "?dryRun=true"]) {
      const { status, body } = await call("DELETE", query);
      expect([status, body.code], query).toEqual([409, "DependencyViolation"]);
      expect(body.detail).toContain(how.kind === "conflict" ? "two ports" : "veth7");
    }
    expect((await call("GET")).status).toBe(200);
    expect((await call("DELETE", "?force=true&dryRun=true")).body).toMatchObject({ status: 204 });
  });

  test("is as one that is not there for others, and refused to who may not delete it", async () => {
    const stranger = await api.createTenantWithKey("admin");
    expect((await call("DELETE", "", stranger.token)).status).toBe(404);
    const viewer = await api.addKey(world.ids.tenant, "viewer");
    expect((await call("DELETE", "", viewer.token)).status).toBe(403);
  });

  test.each(["yes", "", "1", "TRUE"])("force=%s is not taken", async (force) => {
    expect((await call("DELETE", `?force=${force}`)).status).toBe(400);
  });

  test("is deleted with force, and without once it is unplugged", async () => {
    const { subnet, eni } = world.ids;
    const made = await api.call(world.owner, "POST", "/v1/network-interfaces", {
      subnetId: subnet,
    });
    expect((await call("DELETE", "?force=true")).status).toBe(204);
    expect((await call("GET")).body.detail).toContain(eni);
    binding = { kind: "unbound" };
    const path = `/v1/network-interfaces/${made.body.id}`;
    expect((await api.call(world.owner, "DELETE", path)).status).toBe(204);
  });
});
