import { timed } from "../lib/bench-figures.mjs";
import { bridgeStatus, untilBridge, untilProgrammed } from "../lib/bench-stage.mjs";
import { makeCrowd, plugInMembers, portArgs } from "./crowd.mjs";
import { countByTable, readFlows, touchedFlows } from "./flows.mjs";
import { strangersRule } from "./rules.mjs";

/** Beyond the rules that the group has, lest it be one of them. */
const EXTRA_RULE = 5000;

/**
 * @typedef {object} Change what one change took, a value a run
 * @property {number[]} answered ms until the call was answered; for a port, until ovs-vsctl returned
 * @property {number[]} applied ms, from the same start, until the switch was confirmed to follow
 * @property {number[]} computed ms of the daemon's threads meanwhile, answers about its status included
 * @property {number[]} touched flows added, removed or changed
 */

/** A large group, and what small changes to it cost. */
export async function measureScale(stage, { interfaces, rules, runs }, progress) {
  const crowd = await makeCrowd(stage, interfaces, rules, progress);
  progress(`plugging ${interfaces} ports in`);
  const plugging = await plugInMembers(stage, crowd);
  const flows = await readFlows(stage, crowd.bridge);
  progress("writing the bridge anew");
  const anew = await writeAnew(stage, crowd, flows);
  const changes = {};
  for (const kind of kindsOf(stage, crowd)) {
    progress(`${kind.names.join(", ")}: ${runs} runs`);
    Object.assign(changes, await measureChanges(stage, crowd, kind, runs));
  }
  await untilProgrammed(stage, crowd.vpcId);
  const { rules: present } = await stage.call("GET", `/security-groups/${crowd.group}`);
  return {
    ...plugging,
    anewMs: anew,
    flows: flows.size,
    tables: countByTable(flows),
    // One that says which groups it is in, and one in each direction in which rules name the group.
    joinNeeds: 1 + directionsNaming(present, crowd.group),
    changes,
  };
}

function directionsNaming(rules, group) {
  const naming = rules.filter(({ securityGroupId }) => securityGroupId === group);
  return new Set(naming.map(({ direction }) => direction)).size;
}

/** Somebody deletes all flows; the daemon is asked to compare, and answers when all are back. */
async function writeAnew(stage, { bridge, vpcId }, wanted) {
  await stage.ofctl(bridge, "del-flows");
  const { ms } = await timed(() => stage.operator("POST", "/data-plane/reconcile", { vpcId }));
  const { total } = touchedFlows(wanted, await readFlows(stage, bridge));
  if (total > 0) throw new Error(`${total} flows are not what they were`);
  return ms;
}

/** Each is done and taken back, so that every run finds the same. */
function kindsOf(stage, crowd) {
  const { call } = stage;
  const { group, other, joiner } = crowd;
  const joinerPath = `/network-interfaces/${joiner.id}`;
  const rulesPath = `/security-groups/${group}/rules`;
  let ruleId;
  return [
    {
      names: ["join", "leave"],
      isApplied: followed,
      make: () => call("PATCH", joinerPath, { securityGroupIds: [group, other] }),
      undo: () => call("PATCH", joinerPath, { securityGroupIds: [other] }),
    },
    {
      names: ["addRule", "removeRule"],
      isApplied: followed,
      make: async () => {
        ruleId = (await call("POST", rulesPath, strangersRule(EXTRA_RULE, "ingress"))).id;
      },
      undo: () => call("DELETE", `${rulesPath}/${ruleId}`),
    },
    portKind(stage, crowd),
  ];
}

/** A port is no change of intent: what shows that the switch follows is the number of flows. */
function portKind({ vsctl }, { bridge, newcomer }) {
  const name = "pbgnewcomer";
  return {
    names: ["plugIn", "unplug"],
    isApplied: (now, before) => now.flowCount !== before.flowCount,
    make: () => vsctl(...portArgs(bridge, newcomer.id, name)),
    undo: () => vsctl("del-port", bridge, name),
  };
}

const followed = (now, before) => now.observedGeneration > before.observedGeneration;

async function measureChanges(stage, crowd, { names, make, undo, isApplied }, runs) {
  const found = names.map(() => ({ answered: [], applied: [], computed: [], touched: [] }));
  let flows = await readFlows(stage, crowd.bridge);
  for (let run = 0; run < runs; run += 1) {
    for (const [index, work] of [make, undo].entries()) {
      const times = await timeChange(stage, crowd.bridge, work, isApplied);
      const after = await readFlows(stage, crowd.bridge);
      found[index].answered.push(times.answered);
      found[index].applied.push(times.applied);
      found[index].computed.push(times.computed);
      found[index].touched.push(touchedFlows(flows, after).total);
      flows = after;
    }
  }
  return Object.fromEntries(names.map((name, index) => [name, found[index]]));
}

async function timeChange(stage, bridge, work, isApplied) {
  const before = await bridgeStatus(stage, bridge);
  const computedBefore = stage.daemonCpuMs();
  const start = performance.now();
  await work();
  const answered = performance.now() - start;
  await untilBridge(stage, bridge, (now) => isApplied(now, before));
  const applied = performance.now() - start;
  return { answered, applied, computed: stage.daemonCpuMs() - computedBefore };
}
