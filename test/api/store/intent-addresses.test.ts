import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatCidr, formatIp } from "../../../src/domain/cidr.js";
import type { MemberIntent } from "../../../src/domain/intent.js";
import { loadIntent } from "../../../src/store/intent-snapshot.js";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";
import { GroupScene } from "../../support/group-scene.js";
import type { Owned } from "../../support/scene.js";

const VIRTUAL_MAC = "00:00:5e:00:01:07";

describe.each(databaseEngines)("further addresses in intent read on $name", (engine) => {
  let api: TestApi;
  let scene: GroupScene;
  let a: Owned;
  let b: Owned;

  beforeAll(async () => {
    api = await startTestApi(engine, { sweeping: false });
    scene = new GroupScene(api);
    const key = await api.createTenantWithKey("admin");
    a = await withAddresses(key, "10.1");
    b = await withAddresses(key, "10.2");
    await scene.peer(a, b);
    const theirs = await scene.defaultGroup(b);
    const rule = { direction: "ingress", protocol: "all", securityGroupId: theirs };
    await scene.addedRule(a, await scene.defaultGroup(a), rule);
  });
  afterAll(() => api.stop());

  async function withAddresses(key: TenantKey, net: string): Promise<Owned> {
    const owned = await scene.vpc(key, `${net}.0.0/16`);
    const subnetId = await scene.subnet(owned, `${net}.1.0/24`);
    await scene.must(201, key, "POST", "/network-interfaces", {
      subnetId,
      privateIp: `${net}.1.5`,
      secondaryPrivateIps: [`${net}.1.9`, `${net}.1.7`],
      allowedAddressPairs: [
        { ipAddress: `${net}.1.64/28` },
        { ipAddress: `${net}.1.6`, macAddress: VIRTUAL_MAC },
      ],
    });
    return owned;
  }

  const shown = ({ ip, secondaryIps, addressPairs }: MemberIntent) => [
    ...[ip, ...secondaryIps].map(formatIp),
    ...addressPairs.map(({ block }) => formatCidr(block)),
  ];

  it.each(["all", "one"])("are there in their order, of %s VPCs", async (which) => {
    const scope = which === "all" ? "all" : new Set([a.vpcId]);
    const vpc = (await loadIntent(api.context.db, scope)).vpcs.get(a.vpcId);
    const [eni] = vpc?.interfaces ?? [];
    if (eni === undefined) throw new Error("no interface");
    expect(shown(eni)).toEqual(["10.1.1.5", "10.1.1.9", "10.1.1.7", "10.1.1.64/28", "10.1.1.6/32"]);
    expect(eni.addressPairs.map(({ mac }) => mac)).toEqual([eni.mac, VIRTUAL_MAC]);
  });

  it.each(["all", "one"])("are there of members of a peer's group, with %s VPCs", async (which) => {
    const scope = which === "all" ? "all" : new Set([a.vpcId]);
    const { peerGroups = [] } = (await loadIntent(api.context.db, scope)).vpcs.get(a.vpcId) ?? {};
    const members = peerGroups.filter(({ vpcId }) => vpcId === b.vpcId).flatMap((g) => g.members);
    expect(members.map(shown)).toEqual([
      ["10.2.1.5", "10.2.1.9", "10.2.1.7", "10.2.1.64/28", "10.2.1.6/32"],
    ]);
  });
});
