import { admitEverybody } from "../lib/admit-everybody.mjs";
import { plugInWithoutServer } from "../lib/bench-host.mjs";
import { makeStage, untilAllProgrammed } from "../lib/bench-stage.mjs";
import { Prober } from "../lib/prober.mjs";
import { makeRow } from "./rows.mjs";

/** The two that are peered, with an interface each; all others are there to be in the way. */
const SITES = 2;
const WARM_UP = 5;

/** How long an accepted peering takes, by the number of VPCs there are. */
export async function measureAccept({ undo, signal, runs, bridges, quick, progress }) {
  const stage = await makeStage(undo, signal);
  const sites = [];
  for (let index = 0; index < SITES; index += 1) sites.push(await makeSite(stage, index));
  const prober = await Prober.start(
    sites.map(({ host }) => host),
    undo,
  );
  const rows = [];
  let made = SITES;
  for (const count of bridges) {
    progress(`making ${count} bridges`);
    for (; made < count; made += 1) await stage.call("POST", "/vpcs", { cidrBlock: block(made) });
    await untilAllProgrammed(stage);
    progress(`${runs} peerings among ${count} bridges`);
    rows.push(...rowsOf(count, await peerAgainAndAgain({ stage, sites, prober, runs, quick })));
  }
  return rows;
}

async function makeSite(stage, index) {
  const { call } = stage;
  const { id: vpcId } = await call("POST", "/vpcs", { cidrBlock: block(index) });
  await admitEverybody(call, vpcId);
  const subnetBody = { vpcId, cidrBlock: `10.${index}.1.0/24` };
  const { id: subnetId } = await call("POST", "/subnets", subnetBody);
  const eni = await call("POST", "/network-interfaces", { subnetId });
  return { vpcId, host: await plugInWithoutServer(stage, eni) };
}

const block = (index) => `10.${index % 256}.0.0/16`;

async function peerAgainAndAgain({ stage, sites, prober, runs, quick }) {
  const warmUp = quick ? 1 : WARM_UP;
  const found = [];
  for (let run = 0; run < warmUp + runs; run += 1) {
    found.push(await peerOnce(stage.call, sites, prober));
  }
  return found.slice(warmUp);
}

/** Packets knock from before the accept; the time of the first answer is the prober's to tell. */
async function peerOnce(call, [a, b], prober) {
  await prober.quiet(0, 1);
  const ends = { requesterVpcId: a.vpcId, accepterVpcId: b.vpcId };
  const { id } = await call("POST", "/vpc-peerings", ends);
  const { first } = await prober.watch(0, 1);
  const start = process.hrtime.bigint();
  const { state } = await call("POST", `/vpc-peerings/${id}/accept?wait=30`);
  const confirmed = inMs(process.hrtime.bigint() - start);
  if (state !== "active") throw new Error(`the peering is ${state} after accept?wait=30`);
  const firstPacket = inMs((await first) - start);
  const gone = await call("DELETE", `/vpc-peerings/${id}?wait=30`);
  if (gone.state !== "deleted") throw new Error(`the peering is ${gone.state}, not deleted`);
  return { confirmed, firstPacket };
}

const inMs = (nanoseconds) => Number(nanoseconds) / 1e6;

function rowsOf(count, found) {
  const values = (what) => found.map((each) => each[what]);
  return [
    { name: `accept?wait → active, ${count} bridges`, unit: "ms", values: values("confirmed") },
    { name: `accept → first packet, ${count} bridges`, unit: "ms", values: values("firstPacket") },
  ].map(makeRow);
}
