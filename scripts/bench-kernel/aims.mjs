import { median } from "../lib/bench-figures.mjs";

/** Of what is among the fewest VPCs, and of plain Open vSwitch, at least this much. */
const LEAST = 0.95;

/**
 * @param {{ throughput?: any[], waiting?: any }} results
 * @returns {{ text: string, found: string, aim: string, met: boolean }[]} what was measured of them
 */
export function aimsOf({ throughput = [], waiting }) {
  const sizes = throughput.map(({ vpcs }) => vpcs);
  const [fewest, most] = [Math.min(...sizes), Math.max(...sizes)];
  const offloads = [...new Set(throughput.map(({ offload }) => offload))];
  return [
    ...offloads.flatMap((offload) => throughputAims(throughput, offload, fewest, most)),
    ...(waiting ? [cutAim(waiting)] : []),
  ];
}

function throughputAims(throughput, offload, fewest, most) {
  const find = (vpcs, path) =>
    throughput.find((each) => {
      return each.vpcs === vpcs && each.path === path && each.offload === offload;
    });
  const peering = find(most, "peering");
  const others = {
    [`of that among ${fewest}`]: find(fewest, "peering"),
    "of plain": find(most, "plain"),
  };
  return Object.entries({ tcp: "TCP", packets: "packets" }).flatMap(([kind, name]) =>
    Object.entries(others).map(([text, other]) => {
      const ratio = ratioOf(peering[kind], other[kind]);
      const what = `${name} across a peering among ${most} VPCs, offload ${offload}, ${text}`;
      return { text: what, found: ratio.toFixed(3), aim: `at least ${LEAST}`, met: ratio >= LEAST };
    }),
  );
}

function cutAim({ cut }) {
  const passed = cut.reduce((sum, { passedAfterDeleted }) => sum + passedAfterDeleted, 0);
  const text = "packets across a peering after it was said to be deleted";
  return { text, found: String(passed), aim: "none", met: passed === 0 };
}

/** The median of the ratios of single rounds: what disturbs a machine meets both. */
export const ratioOf = (values, others) => median(values.map((value, at) => value / others[at]));
