import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  changesSomething,
  type OperationId,
  operationIds,
  routeEntry,
} from "../../../src/api/rest/route-table.js";
import { type Answer, startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import {
  callWrite,
  EVERY_WRITE,
  makeWriteWorld,
  type WriteWorld,
  writeOf,
} from "../../support/every-write.js";
import { everythingFollowed, Gate } from "../../support/gate.js";

/** Nothing of what these change is on the switch. */
const NOT_ON_THE_SWITCH: readonly OperationId[] = [
  "createTenant",
  "updateTenant",
  "deleteTenant",
  "createAccessKey",
  "updateAccessKey",
  "deleteAccessKey",
  "updateVpc",
  "updateSubnet",
  "updateSecurityGroup",
  "updateVpcPeeringOptions",
  "reconcileDataPlane",
];
/** They wait until they have settled. */
const PEERINGS: readonly OperationId[] = [
  "requestVpcPeering",
  "acceptVpcPeering",
  "rejectVpcPeering",
  "deleteVpcPeering",
];
/** These are tried in the end: they take away what others need. */
const LAST: readonly OperationId[] = [
  "deleteSubnet",
  "deleteNetworkInterface",
  "deleteSecurityGroup",
];
/** A table that no subnet follows changes nothing. */
const WITHOUT_EFFECT: readonly OperationId[] = ["createRouteTable"];

const followed = operationIds().filter((operation) => routeEntry(operation).followed === true);
const inOrder = [...followed.filter((operation) => !LAST.includes(operation)), ...LAST];

test("every write either waits for the switch or has nothing to do with it", () => {
  const writes = operationIds().filter((operation) => changesSomething(routeEntry(operation)));
  expect([...followed, ...PEERINGS, ...NOT_ON_THE_SWITCH].sort()).toEqual([...writes].sort());
  expect(Object.keys(EVERY_WRITE)).toEqual(expect.arrayContaining([...followed]));
});

describe.each(answerEngines)("waiting for the switch on $name", (engine) => {
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
  });
  afterEach(() => gate.open());
  afterAll(() => api.stop());

  test.each(inOrder)("%s: does not say that it is in force before it is", async (operation) => {
    await everythingFollowed(api);
    gate.close();
    const { status } = writeOf(operation);
    const answer = await callWrite(api, world, operation, "?wait=0");
    const isWithoutEffect = WITHOUT_EFFECT.includes(operation);
    expect(answer.status).toBe(status === 204 ? 202 : status);
    expect(answer.body.dataPlane.state).toBe(isWithoutEffect ? "programmed" : "pending");
  });
});

describe.each(answerEngines)("the time that a call waits on $name", (engine) => {
  const gate = new Gate();
  let api: TestApi;
  let world: WriteWorld;

  beforeEach(async () => {
    api = await startTestApi(engine, {
      sweeping: false,
      onApply: gate.onApply,
      backend: { kind: "ovs", binding: () => ({ kind: "bound", port: "p" }) },
    });
    world = await makeWriteWorld(api);
    await everythingFollowed(api);
  });
  afterEach(async () => {
    gate.open();
    gate.alter = (outcome) => outcome;
    await api.stop();
  });

  test("is that of the change which an equal call has made before", async () => {
    gate.close();
    const first = await callWrite(api, world, "replaceRoute", "?wait=0");
    const again = await callWrite(api, world, "replaceRoute", "?wait=0");
    expect([first, again].map(({ body }) => body.dataPlane.state)).toEqual(["pending", "pending"]);
    expect(again.body.dataPlane.generation).toBe(first.body.dataPlane.generation);
    const next = vi.spyOn(api.context.settlements, "next");
    const waiting = callWrite(api, world, "replaceRoute", "?wait=30");
    await vi.waitFor(() => expect(next).toHaveBeenCalled(), 5000);
    next.mockRestore();
    gate.open();
    expect((await waiting).body.dataPlane.state).toBe("programmed");
  });

  test("ends when the switch has confirmed it", async () => {
    for (const [operation, status] of [
      ["deleteSecurityGroupRule", 204],
      ["updateNetworkInterface", 200],
      ["deleteNetworkInterface", 204],
      ["removeCidrBlock", 204],
      ["deleteVpc", 204],
      ["createSecurityGroupRule", 201],
    ] as const) {
      const next = vi.spyOn(api.context.settlements, "next");
      gate.close();
      const answered = vi.fn<() => void>();
      const call = callWrite(api, world, operation, "?wait=30");
      void call.then(answered);
      await vi.waitFor(() => expect(next).toHaveBeenCalled(), 5000);
      expect(answered).not.toHaveBeenCalled();
      gate.open();
      const answer = await call;
      expect(answer.status, operation).toBe(status);
      if (status !== 204) expect(answer.body.dataPlane.state).toBe("programmed");
      next.mockRestore();
    }
  });

  test("ends without a confirmation when the switch does not follow", async () => {
    const { vpc } = world.ids;
    gate.alter = (outcome) => ({ ...outcome, failedVpcs: new Map([[vpc, "it is stuck"]]) });
    const gone = await callWrite(api, world, "deleteSecurityGroupRule", "?wait=0.3");
    expect(gone.status).toBe(202);
    expect(gone.body.dataPlane).toMatchObject({ state: "error", message: expect.any(String) });
    expect(JSON.stringify(gone.body)).not.toContain("stuck");
    const { body } = await api.call(world.owner, "GET", `/v1/security-groups/${world.ids.group}`);
    expect(body.dataPlane.state).toBe("error");
  });

  test("ends without a confirmation when a bridge cannot be removed", async () => {
    const { spareVpc } = world.ids;
    gate.alter = (outcome) => ({ ...outcome, failedVpcs: new Map([[spareVpc, "it is stuck"]]) });
    const gone = await callWrite(api, world, "deleteVpc", "?wait=0.3");
    expect([gone.status, gone.body.dataPlane?.state]).toEqual([202, "error"]);
  });

  test("is that of the peers too whose rules name a group", async () => {
    const { owner, ids } = world;
    const { items } = await listed(`/v1/vpc-peerings?state=active`);
    const peerVpc = items[0].accepter.vpcId;
    const groups = (await listed(`/v1/security-groups?vpcId=${peerVpc}`)).items;
    const rule = { direction: "ingress", protocol: "all", securityGroupId: ids.group };
    const path = `/v1/security-groups/${groups[0].id}/rules?wait=10`;
    expect((await api.call(owner, "POST", path, rule)).status).toBe(201);
    gate.alter = (outcome) => ({ ...outcome, failedVpcs: new Map([[peerVpc, "it is stuck"]]) });
    const changed = await callWrite(api, world, "updateNetworkInterface", "?wait=0.3");
    expect(changed.status).toBe(200);
    expect(changed.body.dataPlane.state).toBe("error");
    const gone = await callWrite(api, world, "deleteNetworkInterface", "?wait=0");
    expect(gone.status).toBe(202);
  });

  test("ends when the daemon stops", async () => {
    const next = vi.spyOn(api.context.settlements, "next");
    gate.close();
    const call = callWrite(api, world, "deleteSecurityGroupRule", "?wait=30");
    await vi.waitFor(() => expect(next).toHaveBeenCalled(), 5000);
    const stopping = api.stop();
    expect((await call).status).toBe(202);
    gate.open();
    await stopping;
    api = await startTestApi(engine);
  });

  test("leaves an answer that is kept for repetitions as it was", async () => {
    gate.close();
    const key = { "idempotency-key": "once" };
    const first = await callWrite(api, world, "deleteSecurityGroupRule", "?wait=0", key);
    const again = await callWrite(api, world, "deleteSecurityGroupRule", "?wait=0", key);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body).toEqual(first.body);
  });

  async function listed(path: string): Promise<Answer["body"]> {
    return (await api.call(world.owner, "GET", path)).body;
  }
});

test.each(answerEngines)("without a switch nothing is waited for, on $name", async (engine) => {
  const gate = new Gate();
  const api = await startTestApi(engine, { sweeping: false, onApply: gate.onApply });
  const world = await makeWriteWorld(api);
  gate.close();
  const gone = await callWrite(api, world, "deleteNetworkInterface", "?wait=30");
  expect(gone.status).toBe(204);
  gate.open();
  await api.stop();
});
