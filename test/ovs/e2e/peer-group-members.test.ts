import { afterAll, beforeAll, expect, it } from "vitest";
import { type NetworkInterface, peer, type SecurityGroup, waitFor } from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

/** One more than are made in advance. */
const QUOTA = 31;
const UNPLUGGED = QUOTA - 1;
const SETTLE_LIMIT_MS = 10_000;
/** What a packet may take to pass after its sender was plugged in. */
const SOON_MS = 1_500;

let world: World;
let owner: Site;
let peerSite: Site;
let group: SecurityGroup;
let naming: { readonly id: string };
let members: NetworkInterface[];

/** The owner's group lets in whoever is in a group of its peer's, of which nobody is plugged in. */
beforeAll(async () => {
  world = await startWorld({ PATCHBAY_QUOTA_PEER_GROUP_MEMBERS: String(QUOTA) });
  owner = await world.site("v", "10.1.0.0/16", { "10.1.1.0/24": 1 }, undefined, { closed: true });
  peerSite = await world.site("w", "10.2.0.0/16", { "10.2.1.0/24": 0 });
  await peer(owner, peerSite, { accept: true });
  group = await peerSite.tenant.group(peerSite.vpcId, "many");
}, 60_000);

explainFailures(() => world);

afterAll(() => world?.dispose());

/** The flows on the owner's bridge that are not there for themselves: by the kind of their match. */
async function flows(): Promise<string[]> {
  const text = await world.sandbox.ofctl("dump-flows", owner.vpc.bridge, "--no-stats");
  return text.split("\n").filter((line) => line.includes("cookie="));
}

async function memberFlows(): Promise<string[]> {
  return (await flows()).flatMap(
    (line) => /ct_nw_(?:src|dst)=(10\.2\.[0-9.]+)/.exec(line)?.[1] ?? [],
  );
}

async function made(): Promise<NetworkInterface> {
  const [subnet] = peerSite.subnets;
  const body = { subnetId: subnet?.id, securityGroupIds: [group.id] };
  return peerSite.tenant.call("POST", "/network-interfaces", body);
}

function target(): Workload {
  const [workload] = owner.workloads;
  if (workload === undefined) throw new Error("nobody is plugged in");
  return workload;
}

/** Plugs in a member; resolves to it and to how long after its binding its first packet passed. */
async function plugged(name: string, eni: NetworkInterface): Promise<[Workload, number]> {
  const workload = await world.plug(name, peerSite, eni);
  await peerSite.tenant.untilBound(eni.id);
  const boundAt = performance.now();
  await passes(workload);
  return [workload, performance.now() - boundAt];
}

function passes(from: Workload): Promise<boolean> {
  return waitFor(() => from.host.ping(target().ip), SETTLE_LIMIT_MS, `a ping from ${from.name}`);
}

async function settled(): Promise<void> {
  const behind = async ({ tenant, vpcId }: Site) =>
    (await tenant.get<{ dataPlane: { state: string } }>(`/vpcs/${vpcId}`)).dataPlane.state;
  const all = async () => {
    const states = await Promise.all([owner, peerSite].map(behind));
    return states.every((state) => state === "programmed");
  };
  await waitFor(all, SETTLE_LIMIT_MS, "the switch to follow");
}

it("costs the owner of a rule nothing for members that are plugged in nowhere", async () => {
  const before = await flows();
  members = [];
  for (let i = 0; i < UNPLUGGED; i += 1) members.push(await made());
  const { id } = await owner.tenant.defaultGroup(owner.vpcId);
  for (const direction of ["ingress", "egress"]) {
    const rule = { direction, protocol: "all", securityGroupId: group.id };
    naming = await owner.tenant.rule(id, rule as Parameters<typeof owner.tenant.rule>[1]);
  }
  await settled();
  expect(await flows()).toEqual(before);
  expect(naming.id).toMatch(/^sgr-/);
});

it("lets a member in as soon as it is plugged in, and takes its flows when it is unplugged", async () => {
  const [first, second] = members as [NetworkInterface, NetworkInterface];
  const [one, took] = await plugged("w1", first);
  expect(took).toBeLessThan(SOON_MS);
  expect(await memberFlows()).toEqual([first.privateIp, first.privateIp]);
  const [, tookToo] = await plugged("w2", second);
  expect(tookToo).toBeLessThan(SOON_MS);
  expect((await memberFlows()).sort()).toEqual(
    [first, first, second, second].map(({ privateIp }) => privateIp).sort(),
  );
  await one.host.destroy();
  const gone = async () => !(await memberFlows()).includes(first.privateIp);
  await waitFor(gone, SETTLE_LIMIT_MS, "the flows of a member that was unplugged to go");
});
