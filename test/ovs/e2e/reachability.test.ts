import { afterAll, beforeAll, expect, it } from "vitest";
import { peer, type TenantClient } from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

interface Reachability {
  readonly reachable: boolean;
  readonly stoppedBy?: string;
  readonly planned?: { readonly reachable: boolean };
  readonly confirmedBySwitch: boolean;
  readonly drift: boolean;
  readonly switch: {
    readonly message: string | null;
    readonly there: readonly { vpcId: string | null; stages: string[] }[];
  };
}

let world: World;
let a: Site;
let b: Site;
let c: Site;

/** A and B are two tenants' and peered; B lets nothing in. C is nobody's peer. */
beforeAll(async () => {
  world = await startWorld();
  a = await world.site("a", "10.1.0.0/16", { "10.1.1.0/24": 1, "10.1.2.0/24": 1 });
  b = await world.site("b", "10.2.0.0/16", { "10.2.1.0/24": 2 }, undefined, { closed: true });
  c = await world.site("c", "10.3.0.0/16", { "10.3.1.0/24": 1 });
  await peer(a, b, { accept: true });
});

explainFailures(() => world);

afterAll(() => world?.dispose());

function ask(tenant: TenantClient, from: Workload, to: string): Promise<Reachability> {
  return tenant.call("POST", "/reachability", { from: from.eni.id, to, protocol: "icmp" });
}

/** What each workload is told of every other, and what its pings say. */
async function compareWithPings(): Promise<void> {
  const sites = [a, b, c];
  const everybody = sites.flatMap((site) => site.workloads);
  const told = sites.flatMap(({ tenant, workloads }) =>
    workloads.flatMap((from) =>
      everybody
        .filter((to) => to !== from)
        .map(async (to) => {
          const pair = `${from.name}>${to.name}`;
          const { reachable, confirmedBySwitch, drift } = await ask(tenant, from, to.ip);
          const pinged = (await from.host.countPings(to.ip, 2)) > 0;
          return { pair, reachable, confirmedBySwitch, drift, pinged };
        }),
    ),
  );
  for (const each of await Promise.all(told)) {
    const { pair, reachable } = each;
    const agreed = { pair, reachable, confirmedBySwitch: true, drift: false, pinged: reachable };
    expect(each).toEqual(agreed);
  }
}

const [LEAVING, ARRIVING] = [
  ["entry", "spoofGuard", "route", "egressPolicy", "peering"],
  ["entry", "fromPeer", "receiver", "returnRoute", "receiver", "ingressPolicy", "delivery"],
];

it("says of everybody what their pings say, before and after a rule lets them in", async () => {
  await compareWithPings();
  const [from, to] = [a.workloads[0], b.workloads[0]];
  if (from === undefined || to === undefined) throw new Error("nobody is plugged in");
  expect(await ask(a.tenant, from, to.ip)).toMatchObject({ stoppedBy: "farSide" });
  await b.tenant.letEverythingIn(b.vpcId);
  expect(await ask(a.tenant, from, to.ip)).toMatchObject({
    reachable: true,
    confirmedBySwitch: true,
  });
  await compareWithPings();
});

it("shows a tenant the steps on its own bridge and the exchange, the operator all of them", async () => {
  const [from, to] = [a.workloads[0], b.workloads[0]];
  if (from === undefined || to === undefined) throw new Error("nobody is plugged in");
  const near = [
    { vpcId: a.vpcId, stages: LEAVING },
    { vpcId: null, stages: ["exchange"] },
  ];
  const own = await ask(a.tenant, from, to.ip);
  expect(own.switch.there).toMatchObject(near);
  expect(own.switch.there).toHaveLength(near.length);
  const body = { from: from.eni.id, to: to.ip, protocol: "icmp" };
  const all = await world.operator.call<Reachability>("POST", "/reachability", body);
  expect(all.switch.there).toMatchObject([...near, { vpcId: b.vpcId, stages: ARRIVING }]);
});

it("says who is not plugged in", async () => {
  const [subnet] = a.subnets;
  const [first] = a.workloads;
  if (subnet === undefined || first === undefined) throw new Error("nothing is there");
  const { id, privateIp } = await a.tenant.networkInterface(subnet.id);
  expect(await ask(a.tenant, first, privateIp)).toMatchObject({
    stoppedBy: "receiverNotPluggedIn",
    confirmedBySwitch: true,
  });
  const body = { from: id, to: first.ip, protocol: "icmp" };
  expect(await a.tenant.call("POST", "/reachability", body)).toMatchObject({
    stoppedBy: "senderNotPluggedIn",
    planned: { reachable: true },
    confirmedBySwitch: false,
    drift: false,
  });
});

it("plans what will be once it is plugged in", async () => {
  const [subnet] = a.subnets;
  const [first] = b.workloads;
  if (subnet === undefined || first === undefined) throw new Error("nothing is there");
  const eni = await a.tenant.networkInterface(subnet.id);
  const plan = (to: string) =>
    a.tenant.call<Reachability>("POST", "/reachability", {
      from: eni.id,
      to,
      protocol: "icmp",
      plan: true,
    });
  const planned = [await plan(first.ip), await plan("10.9.9.9")];
  expect(planned).toMatchObject([
    { reachable: true, confirmedBySwitch: false, drift: false },
    { reachable: false, stoppedBy: "noRoute", confirmedBySwitch: false, drift: false },
  ]);
  const plugged = await world.plug("planned", { vpc: a.vpc, subnets: a.subnets }, eni);
  await a.tenant.untilBound(eni.id);
  expect(await plugged.host.ping(first.ip)).toBe(true);
  expect(await ask(a.tenant, plugged, first.ip)).toMatchObject({
    reachable: true,
    confirmedBySwitch: true,
  });
});
