import { peeredPaths } from "../bench-groups/paths.mjs";
import { inRounds } from "../bench-groups/throughput.mjs";
import { SMALL } from "../lib/bench-iperf.mjs";
import { makeStage } from "../lib/bench-stage.mjs";
import { makeRow } from "./rows.mjs";

const LEAST_OF_INSIDE = 0.97;
/** Nothing passes without any rule; then a single one admits everything. */
const NO_FURTHER_RULES = 0;

const KINDS = {
  tcp: { name: "TCP across a peering", unit: "Gbit/s", scale: 1e9 },
  packets: { name: `UDP of ${SMALL} bytes across a peering`, unit: "packets/s", scale: 1 },
  tcpCpu: { name: "TCP for each second of the switch's CPU", unit: "Gbit", scale: 1e9 },
  packetsCpu: { name: "UDP for each second of the switch's CPU", unit: "packets", scale: 1 },
};

/** Across a peering, beside the way to a neighbour in the same VPC. */
export async function measureThroughput({ undo, signal, runs, seconds, progress }) {
  const stage = await makeStage(undo, signal);
  const paths = await peeredPaths(stage, [NO_FURTHER_RULES], progress);
  const found = await inRounds(stage, paths, { rounds: runs, seconds }, progress);
  return Object.entries(KINDS).map(([kind, { name, unit, scale }]) => {
    const scaled = (path) => found[path][kind].map((value) => value / scale);
    return makeRow({
      name,
      unit,
      better: "higher",
      values: scaled(`peered-${NO_FURTHER_RULES}`),
      beside: { name: "inside one VPC", values: scaled("inside") },
      aim: { atLeast: LEAST_OF_INSIDE },
    });
  });
}
