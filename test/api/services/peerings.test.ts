import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatCidr } from "../../../src/domain/cidr.js";
import type { Principal } from "../../../src/domain/principal.js";
import { authenticate } from "../../../src/services/authentication.js";
import { listEvents } from "../../../src/services/events.js";
import { SETUP_FAILED } from "../../../src/services/peering-changes.js";
import { failDoomedRequests } from "../../../src/services/peering-sweeps.js";
import { listRouteTables } from "../../../src/services/route-tables.js";
import { createSubnet } from "../../../src/services/subnets.js";
import {
  acceptPeering,
  getPeering,
  listPeerings,
  rejectPeering,
  requestPeering,
} from "../../../src/services/vpc-peerings.js";
import { createVpc, deleteVpc } from "../../../src/services/vpcs.js";
import { loadIntent } from "../../../src/store/intent-snapshot.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

const PAGE = { limit: 1000, after: 0 };
const NOBODY = "000000000000";
const NOTHING = "vpc-00000000000000000";

describe.each(databaseEngines)("peerings on $name", (engine) => {
  let api: TestApi;
  let one: Principal & { tenantId: string };
  let two: Principal & { tenantId: string };

  beforeAll(async () => {
    api = await startTestApi(engine);
    one = await tenant();
    two = await tenant();
  });
  afterAll(() => api.stop());

  async function tenant(): Promise<Principal & { tenantId: string }> {
    const { tenantId, token } = await api.createTenantWithKey("admin");
    return { ...(await authenticate(api.context, token)), tenantId };
  }

  async function vpc(owner: Principal, cidrBlock: string): Promise<string> {
    return (await createVpc(api.context, owner, { cidrBlock })).id;
  }

  function ask(requesterVpcId: string, accepterVpcId: string, accepterTenantId?: string) {
    const input = { requesterVpcId, accepterVpcId, ...(accepterTenantId && { accepterTenantId }) };
    return requestPeering(api.context, one, input);
  }

  it("tells a stranger the same, whatever is wrong with the far side", async () => {
    const own = await vpc(one, "10.0.0.0/16");
    const theirs = await vpc(two, "10.1.0.0/16");
    const overlapping = await vpc(two, "10.0.128.0/17");
    const answers = [
      await ask(own, NOTHING, NOBODY),
      await ask(own, NOTHING, two.tenantId),
      await ask(own, theirs, NOBODY),
      await ask(own, overlapping, two.tenantId),
    ];
    const again = await ask(own, overlapping, two.tenantId);
    expect(again).toMatchObject({ created: false, peering: { id: answers[3]?.peering.id } });
    for (const { created, peering } of answers) {
      expect(created).toBe(true);
      expect(peering.state).toBe("pending-acceptance");
    }
    await failDoomedRequests(api.context);
    for (const { peering } of answers) {
      const after = await getPeering(api.context, one, peering.id);
      expect(after).toMatchObject({ state: "failed", statusMessage: SETUP_FAILED });
    }
    const good = await ask(own, theirs, two.tenantId);
    expect((await getPeering(api.context, one, good.peering.id)).state).toBe("pending-acceptance");
  });

  it("never shows the accepter a request that cannot succeed", async () => {
    const own = await vpc(one, "10.0.0.0/16");
    const { peering } = await ask(own, await vpc(two, "10.0.0.0/20"), two.tenantId);
    await expect(getPeering(api.context, two, peering.id)).rejects.toMatchObject({
      code: "InvalidVpcPeeringConnectionID.NotFound",
    });
    const accept = acceptPeering(api.context, two, peering.id, {}, 0);
    await expect(accept).rejects.toMatchObject({
      code: "InvalidVpcPeeringConnectionID.NotFound",
    });
    const listed = await listPeerings(api.context, two, { tags: {} }, PAGE);
    expect(listed.items.map(({ id }) => id)).not.toContain(peering.id);
    const { items } = await listEvents(api.context, two, { after: 0, limit: 1000 });
    expect(items.map(({ resourceId }) => resourceId)).not.toContain(peering.id);
  });

  it("says within one tenant at once what is wrong", async () => {
    const own = await vpc(one, "10.0.0.0/16");
    const inside = await vpc(one, "10.0.4.0/24");
    await expect(ask(own, NOTHING)).rejects.toMatchObject({
      code: "InvalidVpcID.NotFound",
      pointer: "/accepterVpcId",
    });
    await expect(ask(own, await vpc(two, "10.1.0.0/16"))).rejects.toMatchObject({
      code: "InvalidVpcID.NotFound",
    });
    await expect(ask(own, own)).rejects.toMatchObject({ code: "InvalidParameterValue" });
    await expect(ask(own, inside)).rejects.toMatchObject({
      code: "OverlappingCidr",
      message: `10.0.0.0/16 of ${own} overlaps 10.0.4.0/24 of ${inside}`,
    });
  });

  it("ends pending requests with their VPC: deleted where sent, failed where received", async () => {
    const sender = await vpc(one, "10.0.0.0/16");
    const receiver = await vpc(two, "10.1.0.0/16");
    const sent = await ask(sender, receiver, two.tenantId);
    await deleteVpc(api.context, two, receiver);
    expect(await getPeering(api.context, one, sent.peering.id)).toMatchObject({
      state: "failed",
      statusMessage: SETUP_FAILED,
    });
    const other = await ask(sender, await vpc(two, "10.2.0.0/16"), two.tenantId);
    await deleteVpc(api.context, one, sender);
    expect((await getPeering(api.context, one, other.peering.id)).state).toBe("deleted");
    await expect(getPeering(api.context, two, other.peering.id)).rejects.toMatchObject({
      code: "InvalidVpcPeeringConnectionID.NotFound",
    });
  });

  it("lists what blocks the deletion of a VPC", async () => {
    const a = await vpc(one, "10.0.0.0/16");
    const b = await vpc(two, "10.1.0.0/16");
    const subnet = await createSubnet(api.context, one, { vpcId: a, cidrBlock: "10.0.0.0/24" });
    const { peering } = await ask(a, b, two.tenantId);
    await acceptPeering(api.context, two, peering.id, {}, 5000);
    await expect(deleteVpc(api.context, one, a)).rejects.toMatchObject({
      code: "DependencyViolation",
      blockedBy: [peering.id, subnet.id],
    });
  });

  it("names a colliding route to the accepter whose table it is in, and to nobody else", async () => {
    const hub = await vpc(one, "10.0.0.0/16");
    const first = await ask(hub, await vpc(two, "10.1.0.0/16"), two.tenantId);
    await acceptPeering(api.context, two, first.peering.id, {}, 5000);
    const three = await tenant();
    const rival = await ask(hub, await vpc(three, "10.1.0.0/16"), three.tenantId);
    const accepted = await acceptPeering(api.context, three, rival.peering.id, {}, 5000);
    expect(accepted.state).toBe("active");
    const { items: seen } = await listEvents(api.context, three, { after: 0, limit: 1000 });
    expect(seen.filter(({ resourceType }) => resourceType === "route")).toEqual([]);

    const ends = { requesterVpcId: await vpc(two, "10.1.0.0/16"), accepterVpcId: hub };
    const fourth = await requestPeering(api.context, two, {
      ...ends,
      accepterTenantId: one.tenantId,
    });
    const [table] = (await listRouteTables(api.context, one, { vpcId: hub }, PAGE)).items;
    await expect(acceptPeering(api.context, one, fourth.peering.id, {}, 0)).rejects.toMatchObject({
      code: "RouteAlreadyExists",
      blockedBy: [table?.id],
      message: expect.stringMatching(/10\.1\.0\.0\/16.*accept with autoRoutes: false/),
    });
  });

  it("shows a rejected request to nobody as pending, and lets it be asked for again", async () => {
    const a = await vpc(one, "10.0.0.0/16");
    const b = await vpc(two, "10.1.0.0/16");
    const { peering } = await ask(a, b, two.tenantId);
    expect((await rejectPeering(api.context, two, peering.id, 0)).state).toBe("rejected");
    const again = await ask(a, b, two.tenantId);
    expect(again.created).toBe(true);
    expect(again.peering.id).not.toBe(peering.id);
  });

  it("reads a slice of intent with the facts of peers outside of it", async () => {
    const a = await vpc(one, "10.0.0.0/16");
    const b = await vpc(two, "10.1.0.0/16");
    const { peering } = await ask(a, b, two.tenantId);
    await acceptPeering(api.context, two, peering.id, {}, 5000);
    const slice = await loadIntent(api.context.db, new Set([a, NOTHING]));
    expect([...slice.vpcs.keys()]).toEqual([a]);
    expect(slice.peerings).toHaveLength(1);
    expect(slice.peerings[0]).toMatchObject({ id: peering.id, admitted: true });
    expect(slice.peerings[0]?.accepter.blocks.map(formatCidr)).toEqual(["10.1.0.0/16"]);
    const all = await loadIntent(api.context.db, "all");
    expect(all.vpcs.has(b)).toBe(true);
  });
});
