import { VPC_TABLES } from "../../dist/pipeline/tables.js";
import { timed } from "../lib/bench-figures.mjs";
import { untilBridge, untilProgrammed } from "../lib/bench-stage.mjs";
import { sleep } from "../lib/process.mjs";
import { countByTable, readFlows } from "./flows.mjs";
import { mixedRules } from "./rules.mjs";
import { seedMembers, seedRules } from "./seed.mjs";

const BINDING_LIMIT_MS = 120_000;

/**
 * A VPC with one large group.
 * @typedef {object} Crowd
 * @property {string} vpcId
 * @property {string} bridge
 * @property {string} group the large group
 * @property {string} other a group that no rule names
 * @property {any} joiner an interface that is plugged in, in `other` alone
 * @property {any} newcomer a member of the large group that is not plugged in
 * @property {string[]} members ids, plugged in by `plugInMembers`
 */

/** @returns {Promise<Crowd>} with nothing but the joiner plugged in */
export async function makeCrowd(stage, interfaces, rules, progress) {
  const { call } = stage;
  const { id: vpcId, bridge } = await call("POST", "/vpcs", { cidrBlock: "10.0.0.0/16" });
  const { id: subnetId } = await call("POST", "/subnets", { vpcId, cidrBlock: "10.0.0.0/19" });
  const newGroup = async (name) => (await call("POST", "/security-groups", { vpcId, name })).id;
  const group = await newGroup("crowd");
  const other = await newGroup("other");
  progress(`${interfaces} interfaces, ${rules} rules`);
  const members = await stage.whileDown(async (db) => {
    await seedRules(db, { groupId: group, vpcId, rules: mixedRules(rules, group) });
    return seedMembers(db, { vpcId, subnetId, groupId: group, count: interfaces });
  });
  const newInterface = (securityGroupIds) =>
    call("POST", "/network-interfaces", { subnetId, securityGroupIds });
  const joiner = await newInterface([other]);
  const newcomer = await newInterface([group]);
  await untilProgrammed(stage, vpcId);
  const { flowCount } = await untilBridge(stage, bridge, () => true);
  await stage.vsctl(...portArgs(bridge, joiner.id, "pbgjoiner"));
  await untilBridge(stage, bridge, (status) => status.flowCount > flowCount);
  return { vpcId, bridge, group, other, joiner, newcomer, members };
}

/** Plugs all members in with one call. @returns once the last of them has its flows */
export async function plugInMembers(stage, { bridge, members }) {
  const args = members.flatMap((id, index) => ["--", ...portArgs(bridge, id, `pbgm${index}`)]);
  const before = await countMemberships(stage, bridge);
  const plugging = await timed(() => stage.vsctl(...args.slice(1)));
  const following = await timed(() => untilMemberships(stage, bridge, before + members.length));
  return { pluggedMs: plugging.ms, programmedMs: plugging.ms + following.ms };
}

export function portArgs(bridge, eniId, name) {
  const settings = ["type=internal", `external_ids:iface-id=${eniId}`];
  return ["add-port", bridge, name, "--", "set", "Interface", name, ...settings];
}

async function untilMemberships(stage, bridge, wanted) {
  const deadline = Date.now() + BINDING_LIMIT_MS;
  for (;;) {
    const found = await countMemberships(stage, bridge);
    if (found >= wanted) return;
    if (Date.now() > deadline) throw new Error(`${wanted - found} interfaces have no flows`);
    await sleep(50);
  }
}

/** Every interface with flows has one that looks up its groups. */
async function countMemberships(stage, bridge) {
  const counts = new Map(countByTable(await readFlows(stage, bridge)));
  return counts.get(VPC_TABLES.memberships.number) ?? 0;
}
