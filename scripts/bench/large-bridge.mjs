import { makeCrowd, plugInMembers } from "../bench-groups/crowd.mjs";
import { makeStage } from "../lib/bench-stage.mjs";

/** Some 14 flows each. */
const MEMBERS = 690;
const MEMBERS_IF_QUICK = 40;
const RULES = 50;

/** That the switch is away is told as an error again and again, and is what is measured here. */
const QUIET = { PATCHBAY_LOG_LEVEL: "fatal" };

/**
 * A switch with the bridge of one large VPC: a group with its members plugged in and its rules.
 * @returns {Promise<{ stage: import("../lib/bench-stage.mjs").Stage, vpcId: string,
 *   bridge: string, text: string, flows: number }>} `text`: as ovs-ofctl dumps the flows
 */
export async function makeLargeBridge({ undo, signal, quick, progress }) {
  const stage = await makeStage(undo, signal, QUIET);
  const members = quick ? MEMBERS_IF_QUICK : MEMBERS;
  const crowd = await makeCrowd(stage, members, RULES, progress);
  progress(`plugging ${members} ports in`);
  await plugInMembers(stage, crowd);
  const { vpcId, bridge } = crowd;
  await compare({ stage, vpcId });
  const text = flowLines(await stage.ofctl(bridge, "dump-flows", "--no-stats"));
  return { stage, vpcId, bridge, text, flows: text.split("\n").length };
}

/** What `POST /data-plane/reconcile` found wrong: flows missing, changed or too many. */
export async function compare({ stage, vpcId }) {
  const { bridges } = await stage.operator("POST", "/data-plane/reconcile", { vpcId });
  const wrong = bridges.flatMap(({ missing, changed, unexpected }) => [
    ...missing,
    ...changed,
    ...unexpected,
  ]);
  return wrong.length;
}

/** Without the heading of the reply, which is no flow. */
function flowLines(dump) {
  return dump
    .split("\n")
    .filter((line) => line.includes(" actions="))
    .join("\n");
}
