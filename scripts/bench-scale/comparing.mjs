import { timed } from "../lib/bench-figures.mjs";
import { sleep } from "../lib/process.mjs";
import { figures } from "./hot-path.mjs";
import { barePairs, scaleId } from "./seed.mjs";

/** Long enough for the comparison to be under way. */
const HEAD_START_MS = 50;

/**
 * One peering while the whole switch is being compared with intent, as every resync does. Passes do
 * not overlap: so the accept waits for that one.
 */
export async function measureWhileComparing({ size, daemon }, runs) {
  const call = await daemon.tenant();
  const times = { comparisons: [], requests: [], accepts: [] };
  const pairs = barePairs(size);
  for (let run = 0; run < runs; run += 1) {
    const [a, b] = pairs[run % pairs.length].map((n) => scaleId("vpc", n));
    const comparison = timed(() => daemon.operator("POST", "/data-plane/reconcile", {}));
    await sleep(HEAD_START_MS);
    const ends = { requesterVpcId: a, accepterVpcId: b };
    const asked = await timed(() => call("POST", "/vpc-peerings", ends));
    const path = `/vpc-peerings/${asked.value.id}`;
    const accepted = await timed(() => call("POST", `${path}/accept?wait=30`));
    if (accepted.value.state !== "active") throw new Error(`it is ${accepted.value.state}`);
    times.comparisons.push((await comparison).ms);
    times.requests.push(asked.ms);
    times.accepts.push(accepted.ms);
    await call("DELETE", `${path}?wait=30`);
  }
  return Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, figures(ms)]));
}
