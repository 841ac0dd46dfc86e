import { timed } from "../lib/bench-figures.mjs";
import { compare } from "./large-bridge.mjs";
import { inTurn, makeRow } from "./rows.mjs";

const MOST_OF_DUMP = 1.5;

/** A full comparison of a large bridge that is as it should be, beside reading its flows alone. */
export async function measureResync(context) {
  const large = await context.lent.largeBridge();
  const { stage, bridge, flows } = large;
  context.progress(`comparing ${flows} flows`);
  const sides = {
    compared: async () => {
      const { value: wrong, ms } = await timed(() => compare(large));
      if (wrong > 0) throw new Error(`${wrong} flows of ${bridge} were not as they should be`);
      return ms;
    },
    dumped: async () => (await timed(() => stage.ofctl(bridge, "dump-flows", "--no-stats"))).ms,
  };
  for (const side of Object.values(sides)) await side();
  const found = await inTurn(context.runs, sides);
  return [
    makeRow({
      name: `full comparison, ${flows.toLocaleString("en-US")} flows, no drift`,
      unit: "ms",
      values: found.compared,
      beside: { name: "ovs-ofctl dump-flows", values: found.dumped },
      aim: { atMost: MOST_OF_DUMP },
    }),
  ];
}
