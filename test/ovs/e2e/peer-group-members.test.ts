import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type NetworkInterface,
  peer,
  type Rule,
  type SecurityGroup,
  type Vpc,
  waitFor,
} from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

/** One more than are made in advance. */
const QUOTA = 31;
const UNPLUGGED = QUOTA - 1;
const SETTLE_LIMIT_MS = 10_000;
/** What a packet may take to pass after its sender was plugged in, on a busy machine. */
const SOON_MS = 3_000;
const NOT_PLUGGED_IN = { stoppedBy: "receiverNotPluggedIn", confirmedBySwitch: true };

let world: World;
let owner: Site;
let peerSite: Site;
let group: SecurityGroup;
let ownGroup: string;
let naming: { readonly id: string };
const members: NetworkInterface[] = [];
let two: Workload;

/** The owner's group is to let in and out whoever is in a group of its peer's, and nobody else. */
beforeAll(async () => {
  world = await startWorld({ PATCHBAY_QUOTA_PEER_GROUP_MEMBERS: String(QUOTA) });
  owner = await world.site("v", "10.1.0.0/16", { "10.1.1.0/24": 1 }, undefined, { closed: true });
  peerSite = await world.site("w", "10.2.0.0/16", { "10.2.1.0/24": 0 });
  await peer(owner, peerSite, { accept: true });
  group = await peerSite.tenant.group(peerSite.vpcId, "many");
  const open: Rule = { direction: "ingress", protocol: "all", cidrBlock: "0.0.0.0/0" };
  await peerSite.tenant.rule(group.id, open);
  ownGroup = (await owner.tenant.defaultGroup(owner.vpcId)).id;
  const path = `/security-groups/${ownGroup}`;
  const { rules } = await owner.tenant.get<{ rules: { id: string }[] }>(path);
  for (const { id } of rules) await owner.tenant.call("DELETE", `${path}/rules/${id}`);
});

explainFailures(() => world);

afterAll(() => world?.dispose());

interface Reachability {
  readonly reachable: boolean;
  readonly stoppedBy?: string;
  readonly reason?: string;
  readonly confirmedBySwitch: boolean;
}

/** As the operator, who is told of both sides. */
function verdict(from: NetworkInterface, to: NetworkInterface): Promise<Reachability> {
  const question = { from: from.id, to: to.id, protocol: "icmp" };
  return world.operator.call("POST", "/reachability", question);
}

/** On the owner's bridge, as text. */
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

/** Waits until the switch has followed everything that was asked so far. */
async function settled(): Promise<void> {
  const isSettled = async ({ tenant, vpcId }: Site) => {
    const { dataPlane } = await tenant.get<Vpc>(`/vpcs/${vpcId}`);
    return dataPlane.state === "programmed";
  };
  const all = async () => (await Promise.all([owner, peerSite].map(isSettled))).every(Boolean);
  await waitFor(all, SETTLE_LIMIT_MS, "the switch to follow");
}

it("costs the owner of a rule nothing for members that are plugged in nowhere", async () => {
  await settled();
  const before = await flows();
  for (let i = 0; i < UNPLUGGED; i += 1) members.push(await made());
  for (const direction of ["ingress", "egress"] as const) {
    const rule: Rule = { direction, protocol: "all", securityGroupId: group.id };
    naming = await owner.tenant.rule(ownGroup, rule);
  }
  await settled();
  expect(await flows()).toEqual(before);
  const [first] = members as [NetworkInterface];
  expect(await verdict(target().eni, first)).toMatchObject(NOT_PLUGGED_IN);
});

it("lets a member in as soon as it is plugged in, and takes its flows when it is unplugged", async () => {
  const [first, second] = members as [NetworkInterface, NetworkInterface];
  const [one, took] = await plugged("w1", first);
  expect(took).toBeLessThan(SOON_MS);
  expect(await memberFlows()).toEqual([first.privateIp, first.privateIp]);
  expect(await target().host.ping(first.privateIp)).toBe(true);
  let tookToo: number;
  [two, tookToo] = await plugged("w2", second);
  expect(tookToo).toBeLessThan(SOON_MS);
  const both = [first, first, second, second].map(({ privateIp }) => privateIp);
  expect((await memberFlows()).sort()).toEqual(both.sort());
  await one.host.destroy();
  const gone = async () => !(await memberFlows()).includes(first.privateIp);
  await waitFor(gone, SETTLE_LIMIT_MS, "the flows of a member that was unplugged to go");
  expect(await verdict(target().eni, first)).toMatchObject(NOT_PLUGGED_IN);
});

it("follows what is plugged in and out while the daemon is away", async () => {
  const [, second, third] = members as [NetworkInterface, NetworkInterface, NetworkInterface];
  await world.daemon.stop();
  const workload = await world.plug("w3", peerSite, third);
  await two.host.destroy();
  await world.daemon.restart();
  await passes(workload);
  expect(await memberFlows()).toEqual([third.privateIp, third.privateIp]);
  expect(await verdict(target().eni, second)).toMatchObject(NOT_PLUGGED_IN);
});

it("keeps those beyond the quota out, plugged in or not, until there is room", async () => {
  const [first, , third] = members as [NetworkInterface, NetworkInterface, NetworkInterface];
  members.push(await made());
  const late = await made();
  const workload = await world.plug("late", peerSite, late);
  await peerSite.tenant.untilBound(late.id);
  await settled();
  expect(await workload.host.ping(target().ip)).toBe(false);
  expect(await verdict(late, target().eni)).toMatchObject({
    stoppedBy: "ingressPolicy",
    reason: expect.stringContaining("more members"),
    confirmedBySwitch: true,
  });
  expect(await verdict(third, target().eni)).toMatchObject({ reachable: true });
  const path = `/security-groups/${ownGroup}/rules/${naming.id}`;
  expect(await owner.tenant.get(path)).toMatchObject({ limited: true, membersInForce: QUOTA });
  await peerSite.tenant.call("DELETE", `/network-interfaces/${first.id}?force=true`);
  await passes(workload);
  expect(await owner.tenant.get(path)).toMatchObject({ limited: false });
});
