import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import { type ListeningApp, listedEvents, newTenant, newVpc, startApp } from "./app.js";
import { openStream } from "./sse-client.js";

interface Main {
  readonly items: ReadonlyArray<{ readonly id: string }>;
}

describe.each(databaseEngines)("the event of a withheld route on $name", (engine) => {
  let fresh: FreshDatabase;
  let app: ListeningApp;

  beforeEach(async () => {
    fresh = await engine.fresh();
    app = await startApp(fresh);
  });
  afterEach(async () => {
    await app.stop();
    await fresh.cleanup();
  });

  test("comes to the owner of the table, after what led to it, and to no peer", async () => {
    const [v, w, a] = [
      await newTenant(app, "admin"),
      await newTenant(app, "admin"),
      await newTenant(app, "admin"),
    ];
    const inV = await newVpc(app, v.token, "10.1.0.0/16");
    const peer = async (other: typeof v, block: string) => {
      const vpc = await newVpc(app, other.token, block);
      const ends = { requesterVpcId: inV, accepterVpcId: vpc, accepterTenantId: other.tenantId };
      const { id } = await app.send<{ id: string }>(v.token, "POST", "/vpc-peerings", ends);
      await app.send(other.token, "POST", `/vpc-peerings/${id}/accept?wait=10`);
      return { id, vpc };
    };
    await peer(w, "10.3.0.0/16");
    const toA = await peer(a, "10.2.0.0/16");
    const [mine, theirs] = [await openStream(app.url, v.token), await openStream(app.url, a.token)];
    const path = `/vpcs/${toA.vpc}/cidr-blocks`;
    await app.send(a.token, "POST", path, { cidrBlock: "10.3.5.0/24" });

    const tables = await app.send<Main>(v.token, "GET", `/route-tables?vpcId=${inV}`);
    const [frame] = await mine.take(1);
    expect(frame?.event).toBe("route.withheld");
    expect(frame?.data).toMatchObject({
      resource: { type: "route", id: tables.items[0]?.id },
      action: "withheld",
      actor: { kind: "system", tenantId: null, accessKeyId: null },
      before: null,
      after: `10.3.5.0/24 to ${toA.id}`,
    });
    expect((await listedEvents(app, v.token)).at(-1)).toEqual(frame?.data);
    expect((await theirs.take(1))[0]?.event).toBe("vpc.update");
    for (const other of [a, w]) {
      const seen = (await listedEvents(app, other.token)).map(({ resource }) => resource.type);
      expect(seen).not.toContain("route");
    }
    for (const each of [mine, theirs]) each.leave();
  });
});
