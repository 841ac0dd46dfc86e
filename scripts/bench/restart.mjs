import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { timed } from "../lib/bench-figures.mjs";
import { connects } from "../lib/connects.mjs";
import { CommandError, isAlive } from "../lib/process.mjs";
import { startSandbox } from "../lib/switch.mjs";
import { until } from "../lib/until.mjs";
import { makeRow } from "./rows.mjs";

/** A bridge that the daemon does not know. It has no flows after a restart, as every other one. */
const PLAIN = "pbbplain";
const POLL_MS = 5;

/** How long a restarted switch is without its flows, beside writing the same text into it. */
export async function measureRestart(context) {
  const large = await context.lent.largeBridge();
  const { stage, flows, text } = large;
  const datapath = `datapath_type=${stage.datapath}`;
  const kind = ["--", "set", "Bridge", PLAIN, datapath, "fail_mode=secure"];
  await stage.vsctl("add-br", PLAIN, ...kind);
  const file = join(stage.switchDir, "wanted.flows");
  writeFileSync(file, `${text}\n`);
  const found = [];
  for (let run = 0; run < context.runs; run += 1) {
    context.progress(`restart ${run + 1} of ${context.runs}, ${flows} flows`);
    const { restored, away } = await restart(large);
    const { ms: replaced } = await timed(() => replace(stage, file));
    const count = await countFlows(stage, PLAIN);
    if (count !== flows) throw new Error(`replace-flows has made ${count} of ${flows} flows`);
    found.push({ restored, away, replaced });
  }
  return rowsOf(flows, found);
}

/** As one bundle: one by one it takes many times as long, and is not what the daemon does either. */
const replace = (stage, file) => stage.ofctl(PLAIN, "replace-flows", file, "--bundle");

/** @returns ms until all flows are there: `restored` since the switch answers, `away` since its end */
async function restart({ stage, bridge, flows }) {
  const pid = stage.pids()["ovs-vswitchd"];
  process.kill(pid, "SIGKILL");
  const killed = performance.now();
  await until("ovs-vswitchd has ended", () => !isAlive(pid), { everyMs: POLL_MS });
  const starting = startSandbox(stage.switchDir);
  const socket = join(stage.switchDir, `${bridge}.mgmt`);
  await until("the switch answers", () => connects(socket), { everyMs: POLL_MS });
  const answered = performance.now();
  const complete = async () => (await countIfAnswered(stage, bridge)) >= flows;
  await until("all flows are there", complete, { everyMs: POLL_MS });
  const done = performance.now();
  await starting;
  return { restored: done - answered, away: done - killed };
}

/** A switch that is still setting itself up takes connections and may drop them again. */
async function countIfAnswered(stage, bridge) {
  try {
    return await countFlows(stage, bridge);
  } catch (error) {
    if (error instanceof CommandError) return 0;
    throw error;
  }
}

async function countFlows(stage, bridge) {
  const answer = await stage.ofctl(bridge, "dump-aggregate");
  return Number(/flow_count=(\d+)/.exec(answer)[1]);
}

function rowsOf(flows, found) {
  const values = (what) => found.map((each) => each[what]);
  const many = `${flows.toLocaleString("en-US")} flows`;
  return [
    makeRow({
      name: `the switch answers → ${many} are back`,
      unit: "ms",
      values: values("restored"),
      beside: { name: "ovs-ofctl --bundle replace-flows", values: values("replaced") },
    }),
    makeRow({
      name: `the switch is killed → ${many} are back`,
      unit: "ms",
      values: values("away"),
    }),
  ];
}
