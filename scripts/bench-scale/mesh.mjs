import pLimit from "p-limit";
import { sleep } from "../lib/process.mjs";
import { scaleId } from "./seed.mjs";
import { makeStage } from "./stage.mjs";

const LIMIT_MS = 600_000;
const POLL_MS = 100;
const COUNTED = ["reconcile_passes_total", "flows"];

/** Every VPC peered with every other, asked for and accepted as fast as some clients can. */
export async function measureMesh(bench) {
  const { options, progress } = bench;
  const { mesh: vpcs, clients } = options;
  const stage = await makeStage(bench, { vpcs, peerings: 0, interfaces: 20 * vpcs });
  progress("starting over an empty switch");
  await stage.daemon.start();
  const call = await stage.daemon.tenant();
  const pairs = meshPairs(vpcs);
  progress(`${pairs.length} peerings by ${clients} clients`);
  const before = { usage: stage.usage(), ...(await stage.daemon.metrics(...COUNTED)) };
  const start = performance.now();
  await peerAll(call, pairs, clients);
  const answeredMs = performance.now() - start;
  await untilActive(call);
  const activeMs = performance.now() - start;
  const after = { usage: stage.usage(), ...(await stage.daemon.metrics(...COUNTED)) };
  await requireAllActive(call, pairs.length);
  await stage.daemon.stop();
  return { vpcs, peerings: pairs.length, clients, answeredMs, activeMs, before, after };
}

function meshPairs(vpcs) {
  const pairs = [];
  for (let a = 1; a <= vpcs; a += 1) for (let b = a + 1; b <= vpcs; b += 1) pairs.push([a, b]);
  return pairs;
}

async function peerAll(call, pairs, clients) {
  const limited = pLimit(clients);
  await Promise.all(
    pairs.map((pair) =>
      limited(async () => {
        const [requesterVpcId, accepterVpcId] = pair.map((n) => scaleId("vpc", n));
        const { id } = await call("POST", "/vpc-peerings", { requesterVpcId, accepterVpcId });
        await call("POST", `/vpc-peerings/${id}/accept`);
      }),
    ),
  );
}

async function untilActive(call) {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const { items } = await call("GET", "/vpc-peerings?state=provisioning&limit=1");
    if (items.length === 0) return;
    if (performance.now() > deadline) throw new Error("peerings are still provisioning");
    await sleep(POLL_MS);
  }
}

async function requireAllActive(call, wanted) {
  let found = 0;
  let cursor = "";
  do {
    const page = await call("GET", `/vpc-peerings?state=active&limit=1000${cursor}`);
    found += page.items.length;
    cursor = page.nextCursor && `&cursor=${encodeURIComponent(page.nextCursor)}`;
  } while (cursor);
  if (found !== wanted) throw new Error(`${found} of ${wanted} peerings are active`);
}
