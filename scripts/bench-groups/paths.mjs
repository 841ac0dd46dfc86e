import { plugIn, plugInBeside } from "../lib/bench-host.mjs";
import { PORT } from "../lib/bench-iperf.mjs";
import { untilProgrammed } from "../lib/bench-stage.mjs";
import { rulesWithMatchLast } from "./rules.mjs";
import { seedRules } from "./seed.mjs";

/**
 * A way for packets whose speed is measured.
 * @typedef {object} Path
 * @property {string} name
 * @property {import("../lib/bench-host.mjs").Host} from
 * @property {import("../lib/bench-host.mjs").Host} to
 * @property {() => Promise<unknown>} [prepare] before each measurement
 */

const BRIDGE = "pbgplain";
const EVERYBODY = "10.0.0.0/8";

/** Two ports of a bridge that does nothing else: what the datapath gives at best. @returns {Path[]} */
export async function plainPaths(stage) {
  const { vsctl, ofctl, datapath } = stage;
  const kind = ["--", "set", "Bridge", BRIDGE, `datapath_type=${datapath}`, "fail_mode=secure"];
  await vsctl("add-br", BRIDGE, ...kind);
  const from = await plugInBeside(stage, BRIDGE, "192.168.77.1");
  const to = await plugInBeside(stage, BRIDGE, "192.168.77.2");
  const install = async (...flows) => {
    await ofctl(BRIDGE, "del-flows");
    for (const flow of flows) await ofctl(BRIDGE, "add-flow", flow);
  };
  const cross = (a, b) => `in_port=${a.ofport} actions=output:${b.ofport}`;
  return [
    { name: "plain", from, to, prepare: () => install(cross(from, to), cross(to, from)) },
    { name: "normal", from, to, prepare: () => install("actions=NORMAL") },
  ];
}

/** For each number of rules two peered VPCs, their interfaces in a group with so many each way. */
export async function peeredPaths(stage, counts, progress) {
  const pairs = [];
  for (const [index, count] of counts.entries()) {
    const sides = [await makeSide(stage, 2 * index), await makeSide(stage, 2 * index + 1)];
    pairs.push({ count, sides });
  }
  progress(`${counts.join(", ")} rules`);
  await stage.whileDown(async (db) => {
    for (const { count, sides } of pairs) for (const side of sides) await fill(db, side, count);
  });
  const paths = [];
  for (const pair of pairs) paths.push(...(await connect(stage, pair)));
  return paths;
}

async function makeSide({ call }, index) {
  const vpc = await call("POST", "/vpcs", { cidrBlock: `10.${index}.0.0/16` });
  const vpcId = vpc.id;
  const subnet = await call("POST", "/subnets", { vpcId, cidrBlock: `10.${index}.1.0/24` });
  const group = await call("POST", "/security-groups", { vpcId, name: "measured" });
  const body = { subnetId: subnet.id, securityGroupIds: [group.id] };
  return {
    vpcId,
    groupId: group.id,
    newInterface: () => call("POST", "/network-interfaces", body),
  };
}

async function fill(db, side, count) {
  const rules = ["ingress", "egress"].flatMap((direction) =>
    rulesWithMatchLast(count, direction, EVERYBODY, PORT),
  );
  await seedRules(db, { ...side, rules });
}

/** Beside the path across the peering, the one inside a VPC with the fewest rules. @returns {Path[]} */
async function connect(stage, { count, sides: [a, b] }) {
  await peer(stage, a.vpcId, b.vpcId);
  const from = await plugIn(stage, await a.newInterface());
  const to = await plugIn(stage, await b.newInterface());
  for (const { vpcId } of [a, b]) await untilProgrammed(stage, vpcId);
  const across = { name: `peered-${count}`, from, to };
  if (count > 0) return [across];
  return [{ name: "inside", from, to: await plugIn(stage, await a.newInterface()) }, across];
}

async function peer({ call }, requesterVpcId, accepterVpcId) {
  const { id } = await call("POST", "/vpc-peerings", { requesterVpcId, accepterVpcId });
  const { state } = await call("POST", `/vpc-peerings/${id}/accept?wait=30`);
  if (state !== "active") throw new Error(`the peering is ${state}`);
}
