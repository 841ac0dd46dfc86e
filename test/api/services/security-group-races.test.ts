import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Principal } from "../../../src/domain/principal.js";
import type { SecurityGroup, Vpc } from "../../../src/domain/resources.js";
import { authenticate } from "../../../src/services/authentication.js";
import {
  createNetworkInterface,
  deleteNetworkInterface,
  getNetworkInterface,
  updateNetworkInterface,
} from "../../../src/services/network-interfaces.js";
import { addSecurityGroupRule } from "../../../src/services/security-group-rules.js";
import {
  createSecurityGroup,
  deleteSecurityGroup,
  getSecurityGroup,
  listSecurityGroups,
} from "../../../src/services/security-groups.js";
import { createSubnet } from "../../../src/services/subnets.js";
import {
  acceptPeering,
  deletePeering,
  requestPeering,
} from "../../../src/services/vpc-peerings.js";
import { createVpc, getVpc } from "../../../src/services/vpcs.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

const ROUNDS = 8;

describe.each(databaseEngines)("races of security groups, on $name", (engine) => {
  let api: TestApi;
  let one: Principal;
  let two: Principal;

  beforeAll(async () => {
    api = await startTestApi(engine, { sweeping: false });
    one = await authenticate(api.context, (await api.createTenantWithKey("admin")).token);
    two = await authenticate(api.context, (await api.createTenantWithKey("admin")).token);
  });
  afterAll(() => api.stop());

  const vpc = (owner: Principal, cidrBlock: string): Promise<Vpc> =>
    createVpc(api.context, owner, { cidrBlock });
  const subnetOf = async ({ id: vpcId }: Vpc, cidrBlock: string): Promise<string> =>
    (await createSubnet(api.context, one, { vpcId, cidrBlock })).id;
  const group = (owner: Principal, { id: vpcId }: Vpc, name: string): Promise<SecurityGroup> =>
    createSecurityGroup(api.context, owner, { vpcId, name });
  const remove = (owner: Principal, { id }: SecurityGroup) =>
    deleteSecurityGroup(api.context, owner, id);
  const nameIn = (owner: Principal, from: SecurityGroup, to: SecurityGroup) =>
    addSecurityGroupRule(api.context, owner, from.id, {
      direction: "ingress",
      traffic: { protocol: "all" },
      peer: { securityGroupId: to.id },
    });
  const peer = async (from: Vpc, to: Vpc): Promise<string> => {
    const { peering } = await requestPeering(api.context, one, {
      requesterVpcId: from.id,
      accepterVpcId: to.id,
      accepterTenantId: to.tenantId,
    });
    const owner = to.tenantId === one.tenantId ? one : two;
    await acceptPeering(api.context, owner, peering.id, {}, 5000);
    return peering.id;
  };

  it("makes one of many groups of one name, and deletes it once", async () => {
    const a = await vpc(one, "10.0.0.0/16");
    const made = await Promise.allSettled(Array.from({ length: 8 }, () => group(one, a, "web")));
    expect(codesOf(made)).toEqual(Array(7).fill("InvalidGroup.Duplicate"));
    const filter = { vpcId: a.id, name: "web", tags: {} };
    const { items } = await listSecurityGroups(api.context, one, filter, { limit: 9, after: 0 });
    const removed = items.flatMap((item) => [remove(one, item), remove(one, item)]);
    expect(codesOf(await Promise.allSettled(removed))).toEqual(["InvalidGroup.NotFound"]);
  });

  it("adds one of many equal rules", async () => {
    const web = await group(one, await vpc(one, "10.0.0.0/16"), "web");
    const added = Array.from({ length: 8 }, () => nameIn(one, web, web));
    const results = await Promise.allSettled(added);
    expect(codesOf(results)).toEqual(Array(7).fill("InvalidPermission.Duplicate"));
    expect((await getSecurityGroup(api.context, one, web.id)).rules).toHaveLength(2);
  });

  it("never leaves an interface in a group that is gone", async () => {
    const a = await vpc(one, "10.0.0.0/16");
    const subnetId = await subnetOf(a, "10.0.1.0/24");
    const mover = await createNetworkInterface(api.context, one, { subnetId });
    for (let round = 0; round < ROUNDS; round += 1) {
      const web = await group(one, a, `web ${round}`);
      const securityGroupIds = [web.id];
      const join =
        round % 2 === 0
          ? createNetworkInterface(api.context, one, { subnetId, securityGroupIds })
          : updateNetworkInterface(api.context, one, mover.id, { securityGroupIds });
      const results = await Promise.allSettled([remove(one, web), join]);
      const [code, ...more] = codesOf(results);
      expect(["DependencyViolation", "InvalidGroup.NotFound"]).toContain(code);
      expect(more).toEqual([]);
      expect(await exists(web)).toBe(code === "DependencyViolation");
      const shown = await getNetworkInterface(api.context, one, mover.id);
      expect(shown.securityGroupIds).toHaveLength(1);
    }
  });

  it("never both deletes a group and lets a rule of its tenant name it", async () => {
    const [a, b] = [await vpc(one, "10.0.0.0/16"), await vpc(one, "10.1.0.0/16")];
    await peer(a, b);
    const namers = [await group(one, a, "near"), await group(one, b, "far")];
    for (let round = 0; round < ROUNDS; round += 1) {
      const web = await group(one, a, `web ${round}`);
      const namer = namers[round % 2] as SecurityGroup;
      const results = await Promise.allSettled([remove(one, web), nameIn(one, namer, web)]);
      const [code, ...more] = codesOf(results);
      expect(["DependencyViolation", "InvalidGroup.NotFound"]).toContain(code);
      expect(more).toEqual([]);
      expect(await exists(web)).toBe(code === "DependencyViolation");
    }
  });

  it("lets VPCs that name each other's groups follow every change, without a deadlock", async () => {
    const [a, b] = [await vpc(one, "10.0.0.0/16"), await vpc(one, "10.1.0.0/16")];
    await peer(a, b);
    const [red, blue] = [await group(one, a, "red"), await group(one, b, "blue")];
    await Promise.all([nameIn(one, red, blue), nameIn(one, blue, red)]);
    const places = [
      { subnetId: await subnetOf(a, "10.0.1.0/24"), securityGroupIds: [red.id] },
      { subnetId: await subnetOf(b, "10.1.1.0/24"), securityGroupIds: [blue.id] },
    ];
    const made = await Promise.all(
      [...places, ...places, ...places].map((at) => createNetworkInterface(api.context, one, at)),
    );
    const generations = async () => {
      const [left, right] = await Promise.all([
        getVpc(api.context, one, a.id),
        getVpc(api.context, one, b.id),
      ]);
      return [left.generation, right.generation];
    };
    const last = Math.max(...made.map(({ generation }) => generation));
    expect(await generations()).toEqual([last, last]);
    await Promise.all(made.map(({ id }) => deleteNetworkInterface(api.context, one, id)));
    const [left, right] = await generations();
    expect(left).toBe(right);
    expect(left).toBe(last + made.length);
  });

  it("reaches a VPC whose rule comes just then, whether before or after", async () => {
    const [a, b] = [await vpc(one, "10.0.0.0/16"), await vpc(two, "10.1.0.0/16")];
    const subnetId = await subnetOf(a, "10.0.1.0/24");
    await peer(a, b);
    for (let round = 0; round < ROUNDS; round += 1) {
      const web = await group(one, a, `web ${round}`);
      const theirs = await group(two, b, `theirs ${round}`);
      const [joined] = await Promise.all([
        createNetworkInterface(api.context, one, { subnetId, securityGroupIds: [web.id] }),
        nameIn(two, theirs, web),
      ]);
      const { generation } = await getVpc(api.context, two, b.id);
      expect(generation).toBeGreaterThanOrEqual(joined.generation);
      const rule = (await getSecurityGroup(api.context, two, theirs.id)).rules.at(-1);
      expect(rule).toMatchObject({ peer: { groupId: web.id, vpcId: a.id }, stale: false });
    }
  });

  it("never takes a rule that is not in force for one, however the peering ends", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [a, b] = [await vpc(one, "10.0.0.0/16"), await vpc(two, "10.1.0.0/16")];
      const id = await peer(a, b);
      const [web, theirs] = [await group(one, a, "web"), await group(two, b, "theirs")];
      const results = await Promise.allSettled([
        nameIn(one, web, theirs),
        deletePeering(api.context, two, id, 5000),
      ]);
      const codes = codesOf(results);
      expect([[], ["InvalidGroup.NotFound"]]).toContainEqual(codes);
      const rules = (await getSecurityGroup(api.context, one, web.id)).rules.slice(1);
      expect(rules.map(({ stale }) => stale)).toEqual(codes.length === 0 ? [true] : []);
    }
  });

  const exists = ({ id }: SecurityGroup): Promise<boolean> =>
    getSecurityGroup(api.context, one, id).then(
      () => true,
      () => false,
    );
});

/** The error codes of those that failed. */
function codesOf(results: ReadonlyArray<PromiseSettledResult<unknown>>): unknown[] {
  return results.flatMap((result) =>
    result.status === "rejected"
      ? [(result.reason as { code?: unknown }).code ?? result.reason]
      : [],
  );
}
