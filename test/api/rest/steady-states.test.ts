import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import { callWrite, makeWriteWorld, type WriteWorld } from "../../support/every-write.js";
import { everythingFollowed, Gate } from "../../support/gate.js";

describe.each(answerEngines)("while the switch has not followed, on $name", (engine) => {
  const gate = new Gate();
  let api: TestApi;
  let world: WriteWorld;

  beforeAll(async () => {
    api = await startTestApi(engine, {
      sweeping: false,
      onApply: gate.onApply,
      backend: { kind: "ovs", binding: () => ({ kind: "bound", port: "p" }) },
    });
    world = await makeWriteWorld(api);
    await everythingFollowed(api);
  });
  afterEach(() => gate.open());
  afterAll(() => api.stop());

  const ask = async (method: "GET" | "PATCH", path: string, body?: object) => {
    const answer = await api.call(world.owner, method, `/v1${path}`, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body;
  };

  test("names, tags and descriptions change nothing that it would have to follow", async () => {
    gate.close();
    const { vpc, subnet, eni, group, active } = world.ids;
    const tagged = { tags: { env: "test" } };
    const { securityGroupIds } = await ask("GET", `/network-interfaces/${eni}`);
    for (const [path, patch] of [
      [`/vpcs/${vpc}`, { name: "new", ...tagged }],
      [`/subnets/${subnet}`, { name: "new", ...tagged }],
      [`/network-interfaces/${eni}`, { name: "new", ...tagged }],
      [`/network-interfaces/${eni}`, { name: "newer", securityGroupIds }],
      [`/network-interfaces/${eni}`, { secondaryPrivateIps: [], allowedAddressPairs: [] }],
      [`/security-groups/${group}`, { description: "new", ...tagged }],
    ] as const) {
      const changed = await ask("PATCH", path, patch);
      expect(changed.dataPlane.state, path).toBe("programmed");
    }
    const options = { allowDnsResolutionFromRemoteVpc: true };
    const peering = await ask("PATCH", `/vpc-peerings/${active}/options`, options);
    expect(peering.dataPlane.state).toBe("programmed");
    for (const path of [`/vpcs/${vpc}`, `/subnets/${subnet}`, `/network-interfaces/${eni}`]) {
      expect((await ask("GET", path)).dataPlane.state, path).toBe("programmed");
    }
  });

  test("a VPC that is available stays so, and tells of what is behind", async () => {
    const { vpc } = world.ids;
    for (const operation of ["createSubnet", "addCidrBlock", "deleteVpcPeering"] as const) {
      await everythingFollowed(api);
      gate.close();
      await callWrite(api, world, operation);
      const { state, dataPlane } = await ask("GET", `/vpcs/${vpc}`);
      expect([state, dataPlane.state], operation).toEqual(["available", "pending"]);
      gate.open();
    }
  });

  test("a new VPC is pending until it has been made", async () => {
    gate.close();
    const { body } = await callWrite(api, world, "createVpc");
    expect([body.state, body.dataPlane.state]).toEqual(["pending", "pending"]);
    gate.open();
    await everythingFollowed(api);
    expect((await ask("GET", `/vpcs/${body.id}`)).state).toBe("available");
  });
});

test("a peering that the switch has nothing of does not say that it is programmed", async () => {
  const [engine] = answerEngines;
  if (engine === undefined) throw new Error("no database to test with");
  const api = await startTestApi(engine, { sweeping: false, backend: { kind: "ovs" } });
  const world = await makeWriteWorld(api);
  const { received, unwanted, active } = world.ids;
  const shown = async (id: string) =>
    (await api.call(world.owner, "GET", `/v1/vpc-peerings/${id}`)).body;
  expect((await shown(received)).dataPlane.state).toBe("pending");
  const rejected = await callWrite(api, world, "rejectVpcPeering");
  expect(rejected.body.dataPlane).toMatchObject({
    state: "noop",
    message: expect.stringContaining("rejected"),
  });
  expect((await shown(active)).dataPlane.state).toBe("programmed");
  const deleted = await callWrite(api, world, "deleteVpcPeering", "?wait=10");
  expect(deleted.body).toMatchObject({ state: "deleted", dataPlane: { state: "noop" } });
  expect((await shown(unwanted)).dataPlane.message).toContain("rejected");
  await api.stop();
});
